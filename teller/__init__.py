"""What stands behind the graph: settings, services, cards, knowledge and models. Knows neither HTTP nor LangGraph."""

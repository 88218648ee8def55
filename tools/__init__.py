"""What the nodes act through, as LangChain tools: the graph calls them; a model is never given them."""

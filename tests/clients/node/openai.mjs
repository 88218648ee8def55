// Asks with the openai package that the first argument names; "helper" as the second: by its stream helper.
import { playEach } from './asks.mjs';

const [name, helper] = process.argv.slice(2);
const { OpenAI, APIError, APIConnectionTimeoutError } = await import(name);

async function play(ask) {
  const timeout = ask.patience * 1000;
  const client = new OpenAI({ baseURL: ask.base_url, apiKey: ask.api_key, maxRetries: ask.retries, timeout });
  const messages = [{ role: 'user', content: ask.said }];
  const turn = () => (helper ? byHelper : ask.stream ? streamed : whole)(client, request(ask, messages), ask);
  try {
    const { message, told } = await turn();
    if (!ask.results || !message.tool_calls) return told;
    messages.push(message);
    for (const { id, function: called } of message.tool_calls) {
      messages.push({ role: 'tool', tool_call_id: id, content: ask.results[called.name] });
    }
    return (await turn()).told;
  } catch (failure) {
    return failed(failure);
  }
}

function request(ask, messages) {
  return {
    model: 'teller',
    messages,
    temperature: ask.temperature,
    ...(ask.tools.length ? { tools: ask.tools } : {}),
    ...(ask.stream ? { stream: true } : {}),
    ...(ask.include_usage ? { stream_options: { include_usage: true } } : {}),
  };
}

async function whole(client, asked) {
  const { choices, usage } = await client.chat.completions.create(asked);
  const [{ message, finish_reason: finish }] = choices;
  return { message, told: heard(message, message.content ? 1 : 0, finish, usage) };
}

// Puts a stream together as OpenAI's guide does: pieces of calls by their index.
async function streamed(client, asked, { stop_after: enough }) {
  const message = { role: 'assistant', content: '' };
  const calls = {};
  let pieces = 0;
  let finish = null;
  let usage = null;
  for await (const chunk of await client.chat.completions.create(asked)) {
    usage = chunk.usage ?? usage;
    const choice = chunk.choices[0];
    finish = choice?.finish_reason ?? finish;
    for (const { index, ...piece } of choice?.delta.tool_calls ?? []) {
      if (calls[index]) calls[index].function.arguments += piece.function.arguments;
      else calls[index] = piece;
    }
    if (!choice?.delta.content) continue;
    message.content += choice.delta.content;
    pieces += 1;
    if (pieces === enough) return { message, told: { pieces, gave_up: true } };
  }
  if (Object.keys(calls).length) message.tool_calls = Object.values(calls);
  return { message, told: heard(message, pieces, finish, usage) };
}

async function byHelper(client, asked) {
  const completions = client.chat.completions.stream ? client.chat.completions : client.beta.chat.completions;
  const { choices, usage } = await completions.stream(asked).finalChatCompletion();
  const [{ message, finish_reason: finish }] = choices;
  return { message, told: heard(message, 1, finish, usage) };
}

function heard(message, pieces, finish, usage) {
  return {
    text: message.content ?? '',
    pieces,
    finish,
    calls: (message.tool_calls ?? []).map(({ function: called }) => ({
      name: called.name,
      arguments: JSON.parse(called.arguments),
    })),
    tokens: usage ? [usage.prompt_tokens, usage.completion_tokens] : null,
  };
}

function failed(failure) {
  if (failure instanceof APIConnectionTimeoutError) return { gave_up: true };
  const { status = null, type = null, param = null, message } = failure;
  return { failed: { status, type, param, message: failure instanceof APIError ? message : failure.stack } };
}

await playEach(play);

// Asks with the openai package that the first argument names; "helper" as the second: by its stream helper.
// An ask comes on standard input, what was heard goes to standard output: see ../scene.py.
import { readFileSync } from 'node:fs';

const [name, helper] = process.argv.slice(2);
const { OpenAI, APIError, APIConnectionTimeoutError } = await import(name);
const ask = JSON.parse(readFileSync(0, 'utf8'));
const client = new OpenAI({
  baseURL: ask.base_url,
  apiKey: ask.api_key,
  maxRetries: 0,
  timeout: ask.patience * 1000,
});
const messages = [{ role: 'user', content: ask.said }];

function request() {
  return {
    model: 'teller',
    messages,
    temperature: ask.temperature,
    ...(ask.tools.length ? { tools: ask.tools } : {}),
    ...(ask.stream ? { stream: true } : {}),
    ...(ask.include_usage ? { stream_options: { include_usage: true } } : {}),
  };
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

async function byHelper() {
  const completions = client.chat.completions.stream ? client.chat.completions : client.beta.chat.completions;
  const stream = completions.stream(request());
  const { choices, usage } = await stream.finalChatCompletion();
  return { message: choices[0].message, told: heard(choices[0].message, 1, choices[0].finish_reason, usage) };
}

// Puts a stream together as OpenAI's guide does: pieces of calls by their index.
async function streamed() {
  const message = { role: 'assistant', content: '' };
  const calls = {};
  let pieces = 0;
  let finish = null;
  let usage = null;
  for await (const chunk of await client.chat.completions.create(request())) {
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
    if (ask.stop_after && pieces >= ask.stop_after) return { message, told: { pieces, gave_up: true } };
  }
  if (Object.keys(calls).length) message.tool_calls = Object.values(calls);
  return { message, told: heard(message, pieces, finish, usage) };
}

async function whole() {
  const { choices, usage } = await client.chat.completions.create(request());
  const [{ message, finish_reason: finish }] = choices;
  return { message, told: heard(message, message.content ? 1 : 0, finish, usage) };
}

async function play() {
  const turn = helper ? byHelper : ask.stream ? streamed : whole;
  const { message, told } = await turn();
  if (!ask.results || !message.tool_calls) return told;
  messages.push(message);
  for (const { id, function: called } of message.tool_calls) {
    messages.push({ role: 'tool', tool_call_id: id, content: ask.results[called.name] });
  }
  return (await turn()).told;
}

function failed(failure) {
  if (failure instanceof APIConnectionTimeoutError) return { gave_up: true };
  if (!(failure instanceof APIError)) throw failure;
  const { status, type, param, message } = failure;
  return { failed: { status: status ?? null, type: type ?? null, param: param ?? null, message } };
}

console.log(JSON.stringify(await play().catch(failed)));

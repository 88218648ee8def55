// Asks with the AI SDK: the arguments name its package and the one of its provider for OpenAI-compatible servers.
// An ask comes on standard input, what was heard goes to standard output: see ../scene.py.
import { readFileSync } from 'node:fs';

const [core, provider] = process.argv.slice(2);
const { APICallError, generateText, jsonSchema, stepCountIs, streamText, tool } = await import(core);
const { createOpenAICompatible } = await import(provider);
const ask = JSON.parse(readFileSync(0, 'utf8'));
const teller = createOpenAICompatible({
  name: 'teller',
  baseURL: ask.base_url,
  apiKey: ask.api_key,
  includeUsage: ask.include_usage,
});
const patience = AbortSignal.timeout(ask.patience * 1000);
const stop = new AbortController();

function tools() {
  return Object.fromEntries(
    ask.tools.map(({ function: { name, description, parameters } }) => [
      name,
      tool({
        description,
        inputSchema: jsonSchema(parameters),
        ...(ask.results ? { execute: async () => ask.results[name] } : {}),
      }),
    ]),
  );
}

function request() {
  return {
    model: teller('teller'),
    messages: [{ role: 'user', content: ask.said }],
    temperature: ask.temperature,
    maxRetries: 0,
    abortSignal: AbortSignal.any([patience, stop.signal]),
    ...(ask.tools.length ? { tools: tools(), stopWhen: stepCountIs(ask.results ? 2 : 1) } : {}),
  };
}

function heard({ text, pieces, finishReason, toolCalls, usage }) {
  return {
    text,
    pieces,
    finish: finishReason.replace('-', '_'),
    calls: toolCalls.map(({ toolName, input }) => ({ name: toolName, arguments: input })),
    tokens: usage.inputTokens === undefined ? null : [usage.inputTokens, usage.outputTokens],
  };
}

async function streamed() {
  const stream = streamText({ ...request(), onError() {} });
  let pieces = 0;
  for await (const part of stream.fullStream) {
    if (part.type === 'error') throw part.error;
    if (part.type === 'abort') return { pieces, gave_up: true };
    if (part.type !== 'text-delta') continue;
    pieces += 1;
    if (ask.stop_after && pieces >= ask.stop_after) stop.abort();
  }
  const [text, finishReason, toolCalls, usage] = await Promise.all([
    stream.text,
    stream.finishReason,
    stream.toolCalls,
    stream.usage,
  ]);
  return heard({ text, pieces, finishReason, toolCalls, usage });
}

async function whole() {
  const { text, finishReason, toolCalls, usage } = await generateText(request());
  return heard({ text, pieces: text ? 1 : 0, finishReason, toolCalls, usage });
}

function failed(failure) {
  if (patience.aborted) return { gave_up: true };
  const { statusCode: status = null, data } = failure;
  const { type = null, param = null, message = failure.message ?? String(failure) } = data?.error ?? failure ?? {};
  if (!APICallError.isInstance(failure)) return { failed: { status: null, type, param, message } };
  return { failed: { status, type, param, message } };
}

console.log(JSON.stringify(await (ask.stream ? streamed() : whole()).catch(failed)));

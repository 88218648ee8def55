// Asks with the AI SDK: the arguments name its package and the one of its provider for OpenAI-compatible servers.
import { playEach } from './asks.mjs';

const [core, provider] = process.argv.slice(2);
const { APICallError, generateText, jsonSchema, stepCountIs, streamText, tool } = await import(core);
const { createOpenAICompatible } = await import(provider);

async function play(ask) {
  const patience = AbortSignal.timeout(ask.patience * 1000);
  const stop = new AbortController();
  const asked = { ...request(ask), abortSignal: AbortSignal.any([patience, stop.signal]) };
  try {
    return ask.stream ? await streamed(asked, ask, stop) : await whole(asked);
  } catch (failure) {
    return patience.aborted ? { gave_up: true } : { failed: failed(failure) };
  }
}

function request(ask) {
  const { base_url: baseURL, api_key: apiKey, include_usage: includeUsage } = ask;
  const teller = createOpenAICompatible({ name: 'teller', baseURL, apiKey, includeUsage });
  return {
    model: teller('teller'),
    messages: [{ role: 'user', content: ask.said }],
    temperature: ask.temperature,
    maxRetries: 0,
    ...(ask.tools.length ? { tools: tools(ask), stopWhen: stepCountIs(ask.results ? 2 : 1) } : {}),
  };
}

function tools({ tools: declared, results }) {
  return Object.fromEntries(
    declared.map(({ function: { name, description, parameters } }) => {
      const run = results ? { execute: async () => results[name] } : {};
      return [name, tool({ description, inputSchema: jsonSchema(parameters), ...run })];
    }),
  );
}

async function whole(asked) {
  const { text, finishReason, toolCalls, usage } = await generateText(asked);
  return heard(text, text ? 1 : 0, finishReason, toolCalls, usage);
}

async function streamed(asked, { stop_after: enough }, stop) {
  const stream = streamText({ ...asked, onError() {} });
  let pieces = 0;
  for await (const part of stream.fullStream) {
    if (part.type === 'error') throw part.error;
    if (part.type === 'abort') return { pieces, gave_up: true };
    if (part.type !== 'text-delta') continue;
    pieces += 1;
    if (pieces === enough) stop.abort();
  }
  const { text, finishReason, toolCalls, usage } = stream;
  return heard(await text, pieces, await finishReason, await toolCalls, await usage);
}

function heard(text, pieces, finishReason, toolCalls, usage) {
  return {
    text,
    pieces,
    finish: finishReason.replace('-', '_'),
    calls: toolCalls.map(({ toolName, input }) => ({ name: toolName, arguments: input })),
    tokens: usage.inputTokens === undefined ? null : [usage.inputTokens, usage.outputTokens],
  };
}

// An HTTP error is an APICallError with the envelope as its data; a frame that tells of a failure comes as it is.
function failed(failure) {
  const status = APICallError.isInstance(failure) ? (failure.statusCode ?? null) : null;
  const { type = null, param = null, message = String(failure) } = failure.data?.error ?? failure;
  return { status, type, param, message };
}

await playEach(play);

// Runs executions of state machines with aws-local-stepfunctions, one after another, as a child process of package
// stepfunctions. Its one argument is the folder node_modules.
//
// stdin: a line of JSON for each execution, the job; its end is the parent's death. stdout: one JSON object a line, the
// events of the execution in order, the last being ExecutionSucceeded, ExecutionFailed or ExecutionRefused.
import http from "node:http";
import path from "node:path";
import readline from "node:readline";
import { pathToFileURL } from "node:url";

const library = path.join(process.argv.at(-1), "aws-local-stepfunctions", "build", "main.node.esm.js");
const DATA_LIMIT = 262_144; // bytes of a state's input or output, as UTF-8

// The engine is written for Node 22; this is all that it needs and Node 20 lacks.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new Promise((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
};

function say(event) {
  return new Promise((written) => process.stdout.write(JSON.stringify(event) + "\n", written));
}

// named makes an error that Retry and Catch match by its name.
function named(name, cause) {
  return Object.assign(new Error(cause), { name });
}

// dataLimitExceeded can be neither retried nor caught, as on AWS.
function dataLimitExceeded(what) {
  const error = named("States.DataLimitExceeded", `${what} is larger than ${DATA_LIMIT} bytes`);
  return Object.assign(error, { isRetryable: false, isCatchable: false });
}

function tooLarge(value) {
  return value !== undefined && Buffer.byteLength(JSON.stringify(value)) > DATA_LIMIT;
}

// withContextOfItsOwn points the definition at the context's own copy of $$.Execution: the engine overwrites StartTime
// there with the time at which it began, and inside a Map also Input.
function withContextOfItsOwn(definition) {
  return JSON.parse(JSON.stringify(definition).replaceAll("$$.Execution.", "$$$$.Given.Execution."));
}

// states yields every state at any depth, with its name.
function* states(machine) {
  for (const [name, state] of Object.entries(machine.States)) {
    yield [name, state];
    for (const nested of [state.ItemProcessor, state.Iterator, ...(state.Branches ?? [])]) {
      if (nested) yield* states(nested);
    }
  }
}

// post calls the Invoke API. Not fetch: that gives up after five minutes, and a function may take fifteen. Each call has
// a connection of its own, because the server may just be closing one that was kept.
function post(url, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: false, method: "POST", headers: { "Content-Type": "application/json" } }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

// invoke is what arn:aws:states:::lambda:invoke does: the function's answer under Payload, or its error under its own
// name with the raw payload as the cause.
async function invoke(execution, state, { FunctionName, Payload }) {
  // When one branch of a Map fails the engine still starts the branches that wait for their turn; by the next turn of
  // the event loop it is known whether the execution has ended with that.
  await new Promise(setImmediate);
  if (execution.over) return new Promise(() => {});
  if (tooLarge(Payload)) throw dataLimitExceeded(`The input of the task ${state}`);

  let answer;
  try {
    const url = new URL(`/2015-03-31/functions/${encodeURIComponent(FunctionName)}/invocations`, execution.lambda);
    answer = await post(url, JSON.stringify(Payload ?? {}));
  } catch (error) {
    throw named("Lambda.SdkClientException", String(error.message));
  }
  if (answer.status !== 200) {
    throw named("Lambda." + (answer.headers["x-amzn-errortype"] ?? "ServiceException"), answer.body);
  }
  if (answer.headers["x-amz-function-error"]) {
    throw named(JSON.parse(answer.body).errorType ?? "Lambda.Unknown", answer.body);
  }
  const result = { ExecutedVersion: "$LATEST", Payload: answer.body === "" ? null : JSON.parse(answer.body), StatusCode: 200 };
  if (tooLarge(result)) throw dataLimitExceeded(`The result of the task ${state}`);
  return result;
}

const valid = new Set(); // definitions, as text

// load makes a state machine. A definition is validated once, because that takes longer than most executions.
async function load(definition) {
  const { StateMachine } = await import(pathToFileURL(library));
  const text = JSON.stringify(definition);
  const machine = new StateMachine(definition, { validationOptions: { noValidate: valid.has(text) } });
  valid.add(text);
  return machine;
}

async function run(job) {
  const own = { lambda: job.lambda, over: false }; // over: it has ended, and nothing may be invoked any more
  const definition = withContextOfItsOwn(job.definition);
  const taskResourceLocalHandlers = {};
  const retryIntervalOverrides = {};
  for (const [name, state] of states(definition)) {
    if (state.Type === "Task") taskResourceLocalHandlers[name] = (input) => invoke(own, name, input);
    if (state.Retry && job.retryInterval !== null) retryIntervalOverrides[name] = job.retryInterval;
  }
  const execution = (await load(definition)).run(job.input, {
    overrides: { taskResourceLocalHandlers, retryIntervalOverrides },
    context: { Execution: job.context.Execution, StateMachine: job.context.StateMachine, Given: job.context },
  });

  let overflow; // the state whose input or output was too large
  const settled = execution.result.then(
    (output) => ({ type: "ExecutionSucceeded", output }),
    (error) => ({ type: "ExecutionFailed", Error: error.cause?.name ?? error.name, Cause: error.cause?.message ?? error.message }),
  ).finally(() => (own.over = true));
  for await (const event of execution.eventLogs) {
    if (event.type.startsWith("Execution")) continue;
    if (!overflow && (tooLarge(event.state?.input) || tooLarge(event.state?.output))) {
      overflow = dataLimitExceeded(`The input or output of the state ${event.state.name}`);
      own.over = true;
      execution.abort();
    }
    if (!overflow) await say(event);
  }
  const end = await settled;
  await say(overflow ? { type: "ExecutionFailed", Error: overflow.name, Cause: overflow.message } : end);
}

const lines = readline.createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  try {
    await run(JSON.parse(line));
  } catch (error) {
    await say({ type: "ExecutionRefused", Cause: String(error.stack ?? error) });
  }
});
lines.once("close", () => process.exit(1));

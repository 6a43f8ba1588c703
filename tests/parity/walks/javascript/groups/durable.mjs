import assert from "node:assert/strict";
import { fresh, makeFunction, pages, refused, sdk, send, status } from "../cloud.mjs";

// The token of the first checkpoint, which the service gives to the function alone.
const firstToken = (executionArn) => Buffer.from(`${executionArn.split("/").at(-1)}/0`).toString("base64");
const started = (Id, Type, more = {}) => ({ Id, Type, Action: "START", ...more });

async function start(name) {
  const invoked = { FunctionName: name, Qualifier: "1", InvocationType: "Event", DurableExecutionName: fresh("order") };
  return (await send("Invoke", { ...invoked, Payload: JSON.stringify({ item: 1 }) })).DurableExecutionArn;
}

export async function durableExecutions() {
  const name = fresh("durable");
  await makeFunction(name, { DurableConfig: { ExecutionTimeout: 3600, RetentionPeriodInDays: 1 }, Publish: true });
  const arns = [await start(name), await start(name), await start(name)];
  const which = { DurableExecutionArn: arns[0] };
  const got = await send("GetDurableExecution", which);
  assert.deepEqual([got.Status, got.InputPayload], ["RUNNING", '{"item":1}']);
  assert.ok(got.StartTimestamp instanceof Date);
  const listed = await pages("ListDurableExecutionsByFunction", "DurableExecutions", { FunctionName: name });
  assert.deepEqual(listed.map((page) => page.length), [2, 1]);

  const wait = started("wait", "WAIT", { WaitOptions: { WaitSeconds: 3000 } });
  const callback = (id) => started(id, "CALLBACK", { CallbackOptions: { TimeoutSeconds: 3000 } });
  const checkpoint = { ...which, CheckpointToken: firstToken(arns[0]) };
  const taken = await send("CheckpointDurableExecution", { ...checkpoint, Updates: [wait, callback("ok"), callback("bad")] });
  await refused("InvalidParameterValueException", 400, "CheckpointDurableExecution", checkpoint);
  const state = { ...which, CheckpointToken: taken.CheckpointToken };
  assert.equal((await send("GetDurableExecutionState", state)).Operations.length, 4);
  const operations = (await pages("GetDurableExecutionState", "Operations", state)).flat();
  const [ok, bad] = ["ok", "bad"].map((id) => operations.find((each) => each.Id === id).CallbackDetails.CallbackId);
  await send("SendDurableExecutionCallbackHeartbeat", { CallbackId: ok });
  await send("SendDurableExecutionCallbackSuccess", { CallbackId: ok, Result: Buffer.from('"fine"') });
  await send("SendDurableExecutionCallbackFailure", { CallbackId: bad, Error: { ErrorType: "Bad" } });

  for (const [command, after] of [["PauseDurableExecution", "PAUSED"], ["ResumeDurableExecution", "RUNNING"]]) {
    if (!sdk[`${command}Command`]) continue; // not in every release of the SDK
    await send(command, which);
    assert.equal((await send("GetDurableExecution", which)).Status, after);
  }
  await send("StopDurableExecution", { ...which, Error: { ErrorType: "Enough" } });
  assert.equal((await send("GetDurableExecution", which)).Status, "STOPPED");
  const events = (await pages("GetDurableExecutionHistory", "Events", which)).flat().map((each) => each.EventType);
  assert.equal(events[0], "ExecutionStarted");
  assert.equal(events.at(-1), "ExecutionStopped");
  assert.ok(events.includes("CallbackSucceeded") && events.includes("CallbackFailed"));
  await refused("ResourceNotFoundException", 404, "GetDurableExecution", { DurableExecutionArn: `${arns[0]}x` });
  for (const DurableExecutionArn of arns.slice(1)) await send("StopDurableExecution", { DurableExecutionArn });
}

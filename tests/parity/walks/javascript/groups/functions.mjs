import assert from "node:assert/strict";
import { fresh, functionArn, makeFunction, pages, refused, send, status, until, zip } from "../cloud.mjs";

export async function functions() {
  const [name, second, third] = ["a", "b", "c"].map((stem) => fresh(`functions-${stem}`));
  const made = await makeFunction(name, { Tags: { team: "walk" } });
  assert.equal(status(made), 201);
  assert.equal(made.State, "Pending");
  assert.equal(made.FunctionArn, functionArn(name));
  await until("FunctionExists", { FunctionName: name });
  await until("FunctionActive", { FunctionName: name });
  const again = { FunctionName: name, Runtime: "python3.11", Role: made.Role, Handler: "app.handler" };
  await refused("ResourceConflictException", 409, "CreateFunction", { ...again, Code: { ZipFile: zip } });
  const got = await send("GetFunction", { FunctionName: functionArn(name) });
  assert.deepEqual(got.Tags, { team: "walk" });
  assert.equal(got.Configuration.State, "Active");
  const downloaded = await (await fetch(got.Code.Location)).arrayBuffer();
  assert.deepEqual(Buffer.from(downloaded), zip);

  const { RevisionId } = got.Configuration;
  const updated = await send("UpdateFunctionCode", { FunctionName: name, ZipFile: zip, RevisionId });
  assert.equal(updated.LastUpdateStatus, "InProgress");
  await until("FunctionUpdated", { FunctionName: name });
  const stale = { FunctionName: name, MemorySize: 256, RevisionId };
  await refused("PreconditionFailedException", 412, "UpdateFunctionConfiguration", stale);
  const Environment = { Variables: { STAGE: "walk" } };
  await send("UpdateFunctionConfiguration", { FunctionName: name, MemorySize: 256, Environment });
  await until("FunctionUpdatedV2", { FunctionName: name });
  const shown = await send("GetFunctionConfiguration", { FunctionName: name });
  assert.equal(shown.MemorySize, 256);
  assert.deepEqual(shown.Environment, Environment);

  await Promise.all([makeFunction(second), makeFunction(third)]);
  const listed = (await pages("ListFunctions", "Functions")).flat().map((each) => each.FunctionName);
  const ours = listed.filter((each) => each.startsWith("functions-"));
  assert.deepEqual(ours, [name, second, third]);
  assert.equal(status(await send("DeleteFunction", { FunctionName: third })), 204);
  await refused("ResourceNotFoundException", 404, "GetFunction", { FunctionName: third });
}

export async function invocations() {
  const name = fresh("invoked");
  await makeFunction(name);
  const answer = await send("Invoke", { FunctionName: name, Payload: JSON.stringify({ n: 1 }), LogType: "Tail" });
  assert.deepEqual(JSON.parse(answer.Payload.transformToString()), { n: 1 });
  assert.equal(answer.ExecutedVersion, "$LATEST");
  assert.match(Buffer.from(answer.LogResult, "base64").toString(), /END RequestId/);
  assert.equal((await send("Invoke", { FunctionName: name, InvocationType: "Event" })).StatusCode, 202);
  assert.equal((await send("Invoke", { FunctionName: name, InvocationType: "DryRun" })).StatusCode, 204);
  assert.equal((await send("InvokeAsync", { FunctionName: name, InvokeArgs: "{}" })).Status, 202);
  await refused("InvalidRequestContentException", 400, "Invoke", { FunctionName: name, Payload: "{" });

  const stream = await send("InvokeWithResponseStream", { FunctionName: name, Payload: JSON.stringify([1, 2]) });
  const chunks = [];
  let complete;
  for await (const event of stream.EventStream) {
    if (event.PayloadChunk) chunks.push(event.PayloadChunk.Payload);
    complete ??= event.InvokeComplete;
  }
  assert.deepEqual(JSON.parse(Buffer.concat(chunks).toString()), [1, 2]);
  assert.equal(complete.ErrorCode, undefined);
}

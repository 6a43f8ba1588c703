import assert from "node:assert/strict";
import { account, becomes, fresh, makeFunction, pages, refused, send, status } from "../cloud.mjs";

const queue = (name) => `arn:aws:sqs:us-east-1:${account}:${name}`;

export async function eventSourceMappings() {
  const name = fresh("mapped");
  await makeFunction(name);
  const source = { FunctionName: name, EventSourceArn: queue("first") };
  const made = await send("CreateEventSourceMapping", source);
  assert.deepEqual([status(made), made.State, made.BatchSize], [202, "Creating", 10]);
  assert.ok(made.LastModified instanceof Date);
  const which = { UUID: made.UUID };
  await becomes("GetEventSourceMapping", which, (answer) => answer.State === "Enabled");
  await refused("ResourceConflictException", 409, "CreateEventSourceMapping", source);
  const positioned = { ...source, EventSourceArn: queue("second"), StartingPosition: "LATEST" };
  await refused("InvalidParameterValueException", 400, "CreateEventSourceMapping", positioned);
  assert.equal((await send("UpdateEventSourceMapping", { ...which, Enabled: false })).State, "Disabling");
  await becomes("GetEventSourceMapping", which, (answer) => answer.State === "Disabled");
  for (const other of ["second", "third"]) {
    await send("CreateEventSourceMapping", { ...source, EventSourceArn: queue(other) });
  }
  const found = await pages("ListEventSourceMappings", "EventSourceMappings", { FunctionName: name });
  assert.deepEqual(found.map((page) => page.length), [2, 1]);
  assert.equal((await send("DeleteEventSourceMapping", which)).State, "Deleting");
  await refused("ResourceNotFoundException", 404, "DeleteEventSourceMapping", which);
}

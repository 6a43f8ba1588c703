// The cloud as @aws-sdk/client-lambda sees it. Where it is, who calls, and what to upload come in the environment.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import * as sdk from "@aws-sdk/client-lambda";

export { sdk };
export const client = new sdk.LambdaClient({ maxAttempts: 1 });
export const account = process.env.AWS_ACCESS_KEY_ID;
export const arn = (resource) => `arn:aws:lambda:us-east-1:${account}:${resource}`;
export const functionArn = (name, qualifier) => arn(`function:${name}${qualifier ? `:${qualifier}` : ""}`);
export const role = `arn:aws:iam::${account}:role/walk`;
export const zip = readFileSync(process.env.WALK_PACKAGE);
export const layerZip = readFileSync(process.env.WALK_LAYER);
export const image = process.env.WALK_IMAGE;

// What of the SDK the walk has used: commands, paginators, waiters.
export const used = new Set();

export const fresh = (stem) => `${stem}-${randomUUID().slice(0, 8)}`;

// Send one command, by its name in the service model.
export function send(name, input = {}) {
  used.add(`${name}Command`);
  return client.send(new sdk[`${name}Command`](input));
}

// The status of an answer.
export const status = (answer) => answer.$metadata.httpStatusCode;

// Send a command that must be refused with one of the SDK's exception classes.
export async function refused(exception, httpStatus, name, input) {
  const error = await send(name, input).then(
    () => assert.fail(`${name} was not refused`),
    (rejection) => rejection,
  );
  assert.ok(error instanceof sdk[exception], `${name}: ${error}`);
  assert.equal(error.$metadata.httpStatusCode, httpStatus);
  return error;
}

// All pages of one of the SDK's paginators, which sends the command of its name, as lists of what `member` holds.
export async function pages(name, member, input = {}, pageSize = 2) {
  used.add(`paginate${name}`).add(`${name}Command`);
  const found = [];
  for await (const page of sdk[`paginate${name}`]({ client, pageSize }, input)) found.push(page[member]);
  return found;
}

// Wait with one of the SDK's waiters, looking as often as it can.
export async function until(name, input) {
  used.add(`waitUntil${name}`);
  const waited = await sdk[`waitUntil${name}`]({ client, minDelay: 0.05, maxDelay: 0.1, maxWaitTime: 60 }, input);
  assert.equal(waited.state, "SUCCESS");
}

// Ask again until the answer is as it should be.
export async function becomes(name, input, holds, tries = 2000) {
  for (let tried = 0; tried < tries; tried += 1) {
    const answer = await send(name, input);
    if (holds(answer)) return answer;
  }
  return assert.fail(`${name} of ${JSON.stringify(input)} did not become ${holds}`);
}

// Create a function and wait until it, and the version that is published with it, are Active.
export async function makeFunction(name, members = {}) {
  const ordinary = { Runtime: "python3.11", Role: role, Handler: "app.handler", Code: { ZipFile: zip } };
  const made = await send("CreateFunction", { FunctionName: name, ...ordinary, ...members });
  await until("FunctionActiveV2", { FunctionName: name });
  if (members.Publish) await until("PublishedVersionActive", { FunctionName: name, Qualifier: "1" });
  return made;
}

// Change a function and publish what comes of it.
export async function publishAnother(name) {
  await send("UpdateFunctionConfiguration", { FunctionName: name, Description: fresh("change") });
  await until("FunctionUpdatedV2", { FunctionName: name });
  return send("PublishVersion", { FunctionName: name });
}

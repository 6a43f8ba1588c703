// The walk of @aws-sdk/client-lambda through all groups of operations, side by side.
import assert from "node:assert/strict";
import { test } from "node:test";
import { client, sdk, used } from "./cloud.mjs";
import * as capacity from "./groups/capacity.mjs";
import * as configurations from "./groups/configurations.mjs";
import * as durable from "./groups/durable.mjs";
import * as functions from "./groups/functions.mjs";
import * as layers from "./groups/layers.mjs";
import * as mappings from "./groups/mappings.mjs";
import * as versions from "./groups/versions.mjs";

const groups = [capacity, configurations, durable, functions, layers, mappings, versions].flatMap(Object.values);
const usable = Object.keys(sdk).filter((name) => /^(paginate|waitUntil)[A-Z]|^[A-Z]\w+Command$/.test(name));

test("the walk", { concurrency: true }, async (walk) => {
  await Promise.all(groups.map((group) => walk.test(group.name, group)));
  await walk.test("every command, paginator and waiter of the SDK was used", () => {
    assert.deepEqual(usable.filter((name) => !used.has(name)), []);
  });
  client.destroy();
});

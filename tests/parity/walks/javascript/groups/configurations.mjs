import assert from "node:assert/strict";
import { becomes, fresh, functionArn, makeFunction, pages, publishAnother, refused, send, status } from "../cloud.mjs";

export async function concurrency() {
  const name = fresh("concurrent");
  const named = { FunctionName: name };
  await makeFunction(name, { Publish: true });
  await send("PutFunctionConcurrency", { ...named, ReservedConcurrentExecutions: 10 });
  assert.equal((await send("GetFunctionConcurrency", named)).ReservedConcurrentExecutions, 10);
  const account = await send("GetAccountSettings");
  const { ConcurrentExecutions, UnreservedConcurrentExecutions } = account.AccountLimit;
  assert.equal(ConcurrentExecutions - UnreservedConcurrentExecutions, 10);
  const tooMuch = { ...named, ReservedConcurrentExecutions: ConcurrentExecutions };
  await refused("InvalidParameterValueException", 400, "PutFunctionConcurrency", tooMuch);

  const first = { ...named, Qualifier: "1" };
  const missing = "ProvisionedConcurrencyConfigNotFoundException";
  await refused(missing, 404, "GetProvisionedConcurrencyConfig", first);
  const put = await send("PutProvisionedConcurrencyConfig", { ...first, ProvisionedConcurrentExecutions: 1 });
  assert.equal(status(put), 202);
  await becomes("GetProvisionedConcurrencyConfig", first, (answer) => answer.Status === "READY");
  await publishAnother(name);
  await send("PutProvisionedConcurrencyConfig", { ...named, Qualifier: "2", ProvisionedConcurrentExecutions: 1 });
  const configs = await pages("ListProvisionedConcurrencyConfigs", "ProvisionedConcurrencyConfigs", named, 1);
  assert.deepEqual(configs.flat().map((each) => each.FunctionArn), ["1", "2"].map((each) => functionArn(name, each)));
  for (const Qualifier of ["1", "2"]) await send("DeleteProvisionedConcurrencyConfig", { ...named, Qualifier });
  assert.equal(status(await send("DeleteFunctionConcurrency", named)), 204);
  await send("PutFunctionConcurrency", { ...named, ReservedConcurrentExecutions: 0 });
  const throttled = await refused("TooManyRequestsException", 429, "Invoke", named);
  assert.equal(throttled.Reason, "ReservedFunctionConcurrentInvocationLimitExceeded");
  await send("DeleteFunctionConcurrency", named);
}

export async function eventInvokeConfigs() {
  const name = fresh("asynchronous");
  const named = { FunctionName: name };
  await makeFunction(name, { Publish: true });
  await refused("ResourceNotFoundException", 404, "GetFunctionEventInvokeConfig", named);
  await send("PutFunctionEventInvokeConfig", { ...named, MaximumRetryAttempts: 0 });
  const updated = await send("UpdateFunctionEventInvokeConfig", { ...named, MaximumEventAgeInSeconds: 60 });
  const got = await send("GetFunctionEventInvokeConfig", named);
  assert.ok(got.LastModified instanceof Date);
  assert.deepEqual({ ...got, $metadata: 0 }, { ...updated, $metadata: 0 });
  await send("PutFunctionEventInvokeConfig", { ...named, Qualifier: "1", MaximumRetryAttempts: 1 });
  const configs = await pages("ListFunctionEventInvokeConfigs", "FunctionEventInvokeConfigs", named, 1);
  assert.deepEqual(configs.map((page) => page.length), [1, 1]);
  assert.equal(status(await send("DeleteFunctionEventInvokeConfig", named)), 204);
}

export async function functionUrls() {
  const name = fresh("url");
  const named = { FunctionName: name };
  await makeFunction(name, { Publish: true });
  await send("CreateAlias", { ...named, Name: "live", FunctionVersion: "1" });
  const made = await send("CreateFunctionUrlConfig", { ...named, AuthType: "NONE", Cors: { AllowOrigins: ["*"] } });
  await send("CreateFunctionUrlConfig", { ...named, Qualifier: "live", AuthType: "AWS_IAM" });
  await refused("ResourceConflictException", 409, "CreateFunctionUrlConfig", { ...named, AuthType: "NONE" });
  await send("UpdateFunctionUrlConfig", { ...named, InvokeMode: "RESPONSE_STREAM" });
  const got = await send("GetFunctionUrlConfig", named);
  assert.deepEqual([got.FunctionUrl, got.InvokeMode], [made.FunctionUrl, "RESPONSE_STREAM"]);
  const configs = await pages("ListFunctionUrlConfigs", "FunctionUrlConfigs", named, 1);
  assert.deepEqual(configs.map((page) => page[0].AuthType), ["NONE", "AWS_IAM"]);
  assert.equal(status(await send("DeleteFunctionUrlConfig", named)), 204);
  await refused("ResourceNotFoundException", 404, "GetFunctionUrlConfig", named);
}

export async function runtimeAndRecursion() {
  const name = fresh("recursive");
  const named = { FunctionName: name };
  await makeFunction(name);
  assert.equal((await send("GetFunctionRecursionConfig", named)).RecursiveLoop, "Terminate");
  await send("PutFunctionRecursionConfig", { ...named, RecursiveLoop: "Allow" });
  assert.equal((await send("GetFunctionRecursionConfig", named)).RecursiveLoop, "Allow");
  await send("PutRuntimeManagementConfig", { ...named, UpdateRuntimeOn: "FunctionUpdate" });
  assert.equal((await send("GetRuntimeManagementConfig", named)).UpdateRuntimeOn, "FunctionUpdate");
  const withoutArn = { ...named, UpdateRuntimeOn: "Manual" };
  await refused("InvalidParameterValueException", 400, "PutRuntimeManagementConfig", withoutArn);
}

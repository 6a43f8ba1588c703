import assert from "node:assert/strict";
import { fresh, functionArn, makeFunction, pages, publishAnother, refused, send, status, until } from "../cloud.mjs";

export async function versionsAndAliases() {
  const name = fresh("versions");
  const named = { FunctionName: name };
  await makeFunction(name);
  const first = await send("PublishVersion", { ...named, Description: "first" });
  assert.equal(first.FunctionArn, functionArn(name, "1"));
  await until("PublishedVersionActive", { ...named, Qualifier: "1" });
  assert.equal((await send("PublishVersion", named)).Version, "1");
  assert.equal((await publishAnother(name)).Version, "2");
  const versions = await pages("ListVersionsByFunction", "Versions", named);
  assert.deepEqual(versions.map((page) => page.map((each) => each.Version)), [["$LATEST", "1"], ["2"]]);

  const live = { ...named, Name: "live" };
  const alias = await send("CreateAlias", { ...live, FunctionVersion: "1" });
  assert.equal(status(alias), 201);
  await refused("ResourceConflictException", 409, "CreateAlias", { ...live, FunctionVersion: "2" });
  const weights = { AdditionalVersionWeights: { 2: 0.5 } };
  await send("UpdateAlias", { ...live, RevisionId: alias.RevisionId, RoutingConfig: weights });
  await refused("PreconditionFailedException", 412, "UpdateAlias", { ...live, RevisionId: alias.RevisionId });
  assert.deepEqual((await send("GetAlias", live)).RoutingConfig, weights);
  for (const more of ["beta", "old"]) await send("CreateAlias", { ...named, Name: more, FunctionVersion: "1" });
  const aliases = await pages("ListAliases", "Aliases", named);
  assert.deepEqual(aliases.map((page) => page.map((each) => each.Name)), [["beta", "live"], ["old"]]);
  const invoked = await send("Invoke", { ...named, Qualifier: "live" });
  assert.ok(["1", "2"].includes(invoked.ExecutedVersion));
  assert.equal(status(await send("DeleteAlias", { ...named, Name: "old" })), 204);
  await refused("ResourceNotFoundException", 404, "GetAlias", { ...named, Name: "old" });
}

export async function policiesAndTags() {
  const name = fresh("policies");
  const [named, own] = [{ FunctionName: name }, functionArn(name)];
  await makeFunction(name);
  const grant = { StatementId: "s3", Action: "lambda:InvokeFunction", Principal: "s3.amazonaws.com" };
  assert.equal(status(await send("AddPermission", { ...named, ...grant })), 201);
  await refused("ResourceConflictException", 409, "AddPermission", { ...named, ...grant });
  const policy = await send("GetPolicy", named);
  assert.deepEqual(JSON.parse(policy.Policy).Statement.map((each) => each.Sid), ["s3"]);
  const removed = await send("RemovePermission", { ...named, StatementId: "s3", RevisionId: policy.RevisionId });
  assert.equal(status(removed), 204);
  await refused("ResourceNotFoundException", 404, "GetPolicy", named);

  const statement = { Sid: "whole", Effect: "Allow", Principal: { AWS: "arn:aws:iam::222222222222:root" } };
  const whole = (given) => ({
    ResourceArn: own,
    Policy: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ ...statement, Action: "lambda:InvokeFunction", Resource: own, ...given }],
    }),
  });
  const put = await send("PutResourcePolicy", whole({}));
  await refused("PublicPolicyException", 400, "PutResourcePolicy", whole({ Principal: "*" }));
  const read = await send("GetResourcePolicy", { ResourceArn: own });
  assert.equal(read.RevisionId, put.RevisionId);
  assert.equal(status(await send("DeleteResourcePolicy", { ResourceArn: own })), 204);
  await refused("ResourceNotFoundException", 404, "GetResourcePolicy", { ResourceArn: own });

  await send("TagResource", { Resource: own, Tags: { a: "1", b: "2" } });
  await send("UntagResource", { Resource: own, TagKeys: ["a"] });
  assert.deepEqual((await send("ListTags", { Resource: own })).Tags, { b: "2" });
  const tooMany = Object.fromEntries(Array.from({ length: 51 }, (_, number) => [`k${number}`, "v"]));
  await refused("InvalidParameterValueException", 400, "TagResource", { Resource: own, Tags: tooMany });
}

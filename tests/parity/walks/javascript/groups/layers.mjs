import assert from "node:assert/strict";
import { arn, fresh, layerZip, makeFunction, pages, refused, send, status } from "../cloud.mjs";

export async function layers() {
  const name = fresh("layer");
  const content = { Content: { ZipFile: layerZip }, CompatibleRuntimes: ["python3.11"] };
  const first = await send("PublishLayerVersion", { LayerName: name, Description: "one", ...content });
  assert.equal(first.LayerVersionArn, arn(`layer:${name}:1`));
  for (const _ of ["two", "three"]) await send("PublishLayerVersion", { LayerName: name, ...content });
  const versions = await pages("ListLayerVersions", "LayerVersions", { LayerName: name });
  assert.deepEqual(versions.map((page) => page.map((each) => each.Version)), [[3, 2], [1]]);
  for (const other of ["x", "y"]) await send("PublishLayerVersion", { LayerName: `${name}-${other}`, ...content });
  const all = (await pages("ListLayers", "Layers")).flat().map((each) => each.LayerName);
  assert.deepEqual(all.filter((each) => each.startsWith(name)), [name, `${name}-x`, `${name}-y`]);

  const which = { LayerName: name, VersionNumber: 1 };
  const got = await send("GetLayerVersion", which);
  assert.deepEqual(Buffer.from(await (await fetch(got.Content.Location)).arrayBuffer()), layerZip);
  const byArn = await send("GetLayerVersionByArn", { Arn: first.LayerVersionArn });
  assert.equal(byArn.Content.CodeSha256, first.Content.CodeSha256);
  const used = await makeFunction(fresh("layered"), { Layers: [first.LayerVersionArn] });
  assert.deepEqual(used.Layers.map((each) => each.Arn), [first.LayerVersionArn]);

  const grant = { StatementId: "all", Action: "lambda:GetLayerVersion", Principal: "*" };
  await send("AddLayerVersionPermission", { ...which, ...grant });
  const policy = await send("GetLayerVersionPolicy", which);
  assert.equal(JSON.parse(policy.Policy).Statement[0].Sid, "all");
  assert.equal(status(await send("RemoveLayerVersionPermission", { ...which, StatementId: "all" })), 204);
  await refused("ResourceNotFoundException", 404, "GetLayerVersionPolicy", which);
  assert.equal(status(await send("DeleteLayerVersion", which)), 204);
  await refused("ResourceNotFoundException", 404, "GetLayerVersion", which);
}

export async function codeSigning() {
  const profile = "arn:aws:signer:us-east-1:111111111111:/signing-profiles/release/abcdefghij";
  const publishers = { AllowedPublishers: { SigningProfileVersionArns: [profile] } };
  const made = [];
  for (const Description of ["one", "two", "three"]) {
    made.push((await send("CreateCodeSigningConfig", { ...publishers, Description })).CodeSigningConfig);
  }
  const which = { CodeSigningConfigArn: made[0].CodeSigningConfigArn };
  assert.deepEqual((await send("GetCodeSigningConfig", which)).CodeSigningConfig, made[0]);
  const updated = await send("UpdateCodeSigningConfig", { ...which, Description: "changed" });
  assert.equal(updated.CodeSigningConfig.Description, "changed");
  const sizes = (await pages("ListCodeSigningConfigs", "CodeSigningConfigs")).map((page) => page.length);
  assert.deepEqual(sizes, [2, 1]);

  const names = ["a", "b", "c"].map((stem) => fresh(`signed-${stem}`));
  await Promise.all(names.map((name) => makeFunction(name)));
  for (const name of names) await send("PutFunctionCodeSigningConfig", { ...which, FunctionName: name });
  const named = { FunctionName: names[0] };
  assert.equal((await send("GetFunctionCodeSigningConfig", named)).CodeSigningConfigArn, which.CodeSigningConfigArn);
  const arns = (await pages("ListFunctionsByCodeSigningConfig", "FunctionArns", which)).map((page) => page.length);
  assert.deepEqual(arns, [2, 1]);
  await refused("ResourceConflictException", 409, "DeleteCodeSigningConfig", which);
  const gone = { CodeSigningConfigArn: arn("code-signing-config:csc-00000000000000000") };
  await refused("CodeSigningConfigNotFoundException", 404, "PutFunctionCodeSigningConfig", { ...named, ...gone });
  for (const name of names) await send("DeleteFunctionCodeSigningConfig", { FunctionName: name });
  assert.equal(status(await send("DeleteCodeSigningConfig", which)), 204);
}

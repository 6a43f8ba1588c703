import assert from "node:assert/strict";
import { arn, becomes, fresh, image, pages, refused, role, send, status, until } from "../cloud.mjs";

const place = {
  VpcConfig: { SubnetIds: ["subnet-1"], SecurityGroupIds: ["sg-1"] },
  PermissionsConfig: { CapacityProviderOperatorRoleArn: role },
};

export async function capacityProviders() {
  const [name, second, third] = ["a", "b", "c"].map((stem) => fresh(`provider-${stem}`));
  const which = { CapacityProviderName: name };
  for (const CapacityProviderName of [name, second, third]) {
    const made = await send("CreateCapacityProvider", { CapacityProviderName, ...place });
    assert.deepEqual([status(made), made.CapacityProvider.State], [202, "Pending"]);
    const isActive = (answer) => answer.CapacityProvider.State === "Active";
    await becomes("GetCapacityProvider", { CapacityProviderName }, isActive);
  }
  await refused("ResourceConflictException", 409, "CreateCapacityProvider", { ...which, ...place });
  const scaling = { MaxVCpuCount: 64, ScalingMode: "Auto" };
  const updated = await send("UpdateCapacityProvider", { ...which, CapacityProviderScalingConfig: scaling });
  assert.deepEqual(updated.CapacityProvider.CapacityProviderScalingConfig, scaling);
  const listed = await pages("ListCapacityProviders", "CapacityProviders");
  assert.deepEqual(listed.map((page) => page.length), [2, 1]);
  const deleted = await send("DeleteCapacityProvider", { CapacityProviderName: third });
  assert.equal(deleted.CapacityProvider.State, "Deleting");

  const named = { FunctionName: fresh("managed") };
  const provider = { CapacityProviderArn: arn(`capacity-provider:${name}`) };
  const config = { LambdaManagedInstancesCapacityProviderConfig: provider };
  const code = { PackageType: "Image", Code: { ImageUri: image } };
  await send("CreateFunction", { ...named, Role: role, ...code, CapacityProviderConfig: config });
  await becomes("GetFunctionConfiguration", named, (answer) => answer.State === "ActiveNonInvocable");
  await send("PublishVersion", named);
  const first = { ...named, Qualifier: "1" };
  await until("PublishedVersionActive", first);
  const versions = await pages("ListFunctionVersionsByCapacityProvider", "FunctionVersions", which, 1);
  assert.deepEqual(versions.flat().map((each) => each.State), ["ActiveNonInvocable", "Active"]);
  await refused("ResourceConflictException", 409, "DeleteCapacityProvider", which);
  const bounds = { MinExecutionEnvironments: 1, MaxExecutionEnvironments: 2 };
  assert.equal(status(await send("PutFunctionScalingConfig", { ...first, FunctionScalingConfig: bounds })), 202);
  assert.deepEqual((await send("GetFunctionScalingConfig", first)).RequestedFunctionScalingConfig, bounds);
  await send("DeleteFunction", named);
}

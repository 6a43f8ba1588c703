exports.handler = async (event, context) => {
  if (event.do === "log") console.log("said by", context.functionName);
  if (event.do === "fail") throw new TypeError("refused by the handler");
  if (event.do === "hang") await new Promise((resolve) => setTimeout(resolve, 600_000));
  if (event.do === "look") return { environment: process.env, directory: process.cwd(), version: process.version };
  return event;
};

// Serves RSSHub, which npm has as a library: node serve.mjs PACKAGE_FOLDER PROXY
// Prints its port, and runs until its standard input ends.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [folder, proxy] = process.argv.slice(2);
const dist = join(folder, "dist-lib");
// The library keeps its application to itself: pkg.mjs names the files that hold it.
const told = readFileSync(join(dist, "pkg.mjs"), "utf8");
const { n: setConfig } = await import(join(dist, told.match(/config-[\w-]+\.mjs/)[0]));
const settings = { PROXY_URI: proxy, UA: "Mozilla/5.0", REQUEST_RETRY: "0", CACHE_TYPE: "", LOGGER_LEVEL: "error" };
setConfig({ ...settings, IS_PACKAGE: true });
const { default: app } = await import(join(dist, told.match(/app-[\w-]+\.mjs/)[0]));
// As a package it answers objects; as a server it renders feeds.
setConfig({ ...settings, IS_PACKAGE: "" });

const server = createServer(async (request, response) => {
  const answer = await app.fetch(new Request(`http://127.0.0.1${request.url}`, { headers: request.headers }));
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(Buffer.from(await answer.arrayBuffer()));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().on("end", () => process.exit(0));

/** Node has no server for such handlers: this is one, on loopback. `PORT=8080 node node.ts`; Deno and Bun serve handler.ts as it stands. */
import { createServer } from "node:http"
import { env } from "node:process"
import { arrayBuffer } from "node:stream/consumers"
import handler from "./handler.ts"

const server = createServer(async (incoming, outgoing) => {
  const { method = "GET", url = "/", headers } = incoming
  const request = new Request(new URL(url, "http://localhost"), {
    method,
    headers: { "content-type": headers["content-type"] ?? "" },
    body: method === "GET" || method === "HEAD" ? null : await arrayBuffer(incoming),
  })
  const response = await handler.fetch(request)
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  outgoing.end(await response.text())
})

server.listen(Number(env.PORT ?? 0), "127.0.0.1", () => console.log(JSON.stringify(server.address())))

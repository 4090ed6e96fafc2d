/** Opens a port as an application does, with nothing but the port, and prints what comes of it as JSON; ends with its input. */
import { openPort } from "../../../adapters/node/index.ts"

const tell = (what: object): void => {
  process.stdout.write(`${JSON.stringify(what, (key, value) => (key === "address" ? undefined : value))}\n`)
}

const port = await openPort({ protocol: "tcp", internalPort: 8080 })
tell({ type: "open", external: port.external, servers: port.servers })
process.stdin.on("end", () => port.close()).resume()
for await (const change of port.changes) tell(change)
tell({ type: "closed" })

import type { Face } from "./runtime.ts"

/** Opens a port at a server, and ends as `how` says: see the suite of processes. */
export const openPortScene = async ({ openPort, clock }: Face, [server, how]: readonly string[]): Promise<void> => {
  const options = { protocol: "tcp", internalPort: 8080, servers: [server] } as const
  const port = await openPort({ ...options, unref: how !== "held" })
  console.log(port.external.text)
  if (how === "closed") {
    await port.close()
    console.log("closed")
  }
  // Nothing but the port keeps the process running until then.
  if (how === "held") setTimeout(() => port.close().then(() => console.log("closed")), 50)
  console.log(clock.now() > 0)
}

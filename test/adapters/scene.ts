import process from "node:process"
import { fastUdp } from "../../adapters/linux/index.ts"
import { probeGateways } from "./gateway/probe.ts"
import { linkFacts } from "./link.ts"
import { openPortScene } from "./open-port-scene.ts"
import type { Face } from "./runtime.ts"
import { signalScene } from "./signal-scene.ts"

/** A program of its own on a runtime, for what a test cannot do in its own process: the first argument says which. */
export const play = async (face: Face): Promise<void> => {
  const [which, ...rest] = process.argv.slice(2)
  switch (which) {
    case "links":
      console.log(JSON.stringify(await linkFacts(face.udp)))
      return
    case "fast-links": {
      const fast = fastUdp()
      if (!fast.ok) throw new Error(fast.text)
      console.log(JSON.stringify(await linkFacts(fast.value)))
      return
    }
    case "gateways":
      console.log(JSON.stringify(await probeGateways(face)))
      return
    case "signal":
      await signalScene(face)
      return
    case "open-port":
      await openPortScene(face, rest)
      return
    default:
      throw new Error(`no scene ${which}`)
  }
}

import type { Command } from "commander"
import { clock, entropy, udp } from "#runtime"
import { type OverlayEndpoint, type OverlayNote, startOverlayEndpoint } from "../../overlay/index.ts"
import { stopSignal } from "../client/stop-signal.ts"
import { complain, note } from "../complain.ts"
import { type ControlSocket, startControl } from "../control/listen.ts"
import { ownSocket } from "../control/path.ts"
import { formatEndpoint } from "../endpoint.ts"
import { Exit } from "../exit.ts"
import { makeFolder } from "../folder.ts"
import type { Read } from "../read.ts"
import { overlayAnswers } from "./answer.ts"
import { lineOf, type OverlayPlan, planOverlays } from "./config.ts"
import { findIn } from "./directory.ts"
import type { MappedPort } from "./map-port.ts"

export interface RunOptions {
  readonly config: string
  readonly json?: boolean
}

/** Has overlays at work until a signal. `command` says what is wrong with the file. */
export const run = async ({ config, json }: RunOptions, command: Command): Promise<void> => {
  const fail = (lines: readonly string[]): never => {
    for (const line of lines.slice(0, -1)) complain(line)
    return command.error(lines[lines.length - 1] ?? "", { exitCode: Exit.USAGE })
  }
  const planned = await planOverlays(config)
  const plan = planned.ok ? planned.value : fail(planned.lines)
  const folder = plan.state === undefined ? undefined : prepared(plan.state)
  if (folder?.ok === false) fail([folder.text])
  const { signal, forget } = stopSignal()
  const endpoint = await startOverlayEndpoint({
    udp,
    clock,
    entropy,
    overlays: plan.overlays,
    folder: plan.state,
    find: plan.directory === undefined ? undefined : findIn(plan.directory),
    note: (one) => tell(one, json === true),
  }).catch((cause: unknown) => fail([lineOf(plan, cause)]))
  const control = await controlOf(plan, endpoint)
  if (!control.ok) {
    await endpoint.close()
    fail([control.text])
  }
  greet(endpoint, json === true)
  const mapped = await mapAll(plan, endpoint, json === true)
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))
  forget()
  await Promise.all(mapped.map((one) => one.close()))
  if (control.ok) await control.value?.stop()
  await endpoint.close()
}

const mapAll = async (plan: OverlayPlan, endpoint: OverlayEndpoint, json: boolean): Promise<readonly MappedPort[]> => {
  if (plan.maps.every((map) => map === undefined)) return []
  // Loaded when it runs: most hosts are behind no NAT.
  const { mapPort } = await import("./map-port.ts")
  return endpoint.overlays.flatMap((overlay, place) => {
    const map = plan.maps[place]
    if (map === undefined) return []
    return mapPort(overlay, map, plan.directory, {
      mapped: (end) => {
        if (json) print({ event: "mapped", overlay: overlay.name, external: end })
        else note(`${overlay.name}: reached at ${end}`)
      },
      failed: (text) => complain(`${overlay.name}: ${text}`),
    })
  })
}

const prepared = (path: string): Read<undefined> => {
  try {
    makeFolder(path)
    return { ok: true, value: undefined }
  } catch (cause) {
    return { ok: false, text: `state: ${path}: ${cause instanceof Error ? cause.message : String(cause)}` }
  }
}

const controlOf = async (
  { control }: OverlayPlan,
  endpoint: OverlayEndpoint,
): Promise<Read<ControlSocket | undefined>> => {
  // Windows has no sockets in its file system whose permissions Node could set.
  if (control === false || (control === undefined && process.platform === "win32"))
    return { ok: true, value: undefined }
  const started = await startControl(control ?? ownSocket("overlay-"), overlayAnswers(endpoint))
  return started.ok ? started : { ok: false, text: `control: ${started.text}` }
}

const greet = ({ overlays }: OverlayEndpoint, json: boolean): void => {
  for (const { name, vnetid, plugin, id, mtu, local, kernel } of overlays) {
    const ends = { local: formatEndpoint(local), kernel: kernel === undefined ? undefined : formatEndpoint(kernel) }
    if (json) print({ event: "overlay", overlay: name, vnetid, plugin, id, mtu, ...ends })
    else {
      const device = ends.kernel === undefined ? "" : `, the kernel's device at ${ends.kernel}`
      note(`${name}: vnetid ${vnetid} on ${ends.local}, lookups by ${plugin}${device}`)
    }
  }
}

const tell = (one: OverlayNote, json: boolean): void => {
  switch (one.type) {
    case "status":
      if (json) print({ event: "status", overlay: one.overlay, text: one.text ?? null })
      else if (one.text === undefined) note(`${one.overlay}: online`)
      else complain(`${one.overlay}: degraded: ${one.text}`)
      break
    case "fault":
      complain(`${one.overlay}: the plugin is at fault: ${one.text}`)
      break
    case "kept":
      complain(`${one.path}: ${one.text}`)
      break
    case "socket":
      complain(`${formatEndpoint(one.local)}: ${one.error.text}`)
  }
}

const print = (record: object): void => {
  process.stdout.write(`${JSON.stringify(record)}\n`)
}

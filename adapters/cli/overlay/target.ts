import { isPoint, type Mac, parseMac, type TargetPoint, VXLAN_PORT } from "../../../core/overlay/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import { formatEndpoint, readEndpoint } from "../endpoint.ts"
import type { Read } from "../read.ts"

/** Where frames for a MAC go. */
export type Target = TargetPoint | "drop"

/** Reads `de:ad:be:ef:0:1`. */
export const readMacText = (text: string): Read<Mac> => {
  const mac = parseMac(text)
  return mac === undefined
    ? { ok: false, text: `"${text}" is no MAC: expected de:ad:be:ef:0:1.` }
    : { ok: true, value: mac }
}

/** Reads `drop`, or an end; without a port that of VXLAN is meant. */
export const readTarget = (text: string): Read<Target> => {
  if (text === "drop") return { ok: true, value: "drop" }
  const end = readEndpoint(text, VXLAN_PORT)
  if (!end.ok) return end
  const { address, port, zone } = end.value
  return isPoint({ address, port }) && zone === undefined
    ? { ok: true, value: { address, port } }
    : { ok: false, text: `No frame can be sent to "${text}".` }
}

/** What {@link readTarget} reads. */
export const formatTarget = (target: Target): string => (target === "drop" ? "drop" : formatEndpoint(target))

/** The same for programs. */
export const targetRecord = (target: Target): object | "drop" =>
  target === "drop" ? "drop" : { address: formatAddress(target.address), port: target.port }

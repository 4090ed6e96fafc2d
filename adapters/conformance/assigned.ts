import { parse, ResultCode } from "../../core/wire/index.ts"

/** External ports that an answer assigns, the first and how many in a row (RFC 7753); `undefined`: it assigns none. */
export interface Assigned {
  readonly first: number
  readonly count: number
}

/** What an answer of MAP, PEER or NAT-PMP assigns. */
export const assignedBy = (reply: Uint8Array): Assigned | undefined => {
  const parsed = parse(reply)
  if (!parsed.ok) return undefined
  const { packet } = parsed
  if (packet.kind === "natpmp-map-response" && packet.result === ResultCode.SUCCESS)
    return { first: packet.externalPort, count: 1 }
  if (packet.kind !== "pcp-response" || packet.result !== ResultCode.SUCCESS) return undefined
  const { body, options } = packet
  if (body.kind !== "map" && body.kind !== "peer") return undefined
  const set = options.find((option) => option.kind === "PORT_SET")
  return { first: body.externalPort, count: Math.max(1, set?.size ?? 1) }
}

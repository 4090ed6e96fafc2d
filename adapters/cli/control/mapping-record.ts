import type { Mapping } from "../../../core/cgn/index.ts"
import { ANY4, parseAddress } from "../../../core/wire/index.ts"
import type { Endpoint } from "../../udp.ts"
import type { AnswerRecord } from "./ask.ts"

const KINDS = ["map", "peer", "implicit", "static"] as const
const ORIGINS = ["pcp", "nat-pmp", "traffic", "administrator"] as const

/** A mapping as a running server tells it, on a clock that shows 0 now; what a later server adds is passed over. */
export const readMapping = (record: AnswerRecord): Mapping => {
  const internal = readEnd(record.internal)
  const external = readEnd(record.external)
  const remote = record.remote === undefined ? undefined : readEnd(record.remote)
  return {
    kind: KINDS.find((kind) => kind === record.kind) ?? "map",
    origin: ORIGINS.find((origin) => origin === record.origin) ?? "pcp",
    protocol: Number(record.protocol),
    internal: internal.address,
    internalPort: internal.port,
    realm: typeof record.realm === "string" ? parseAddress(record.realm) : undefined,
    external: external.address,
    externalPort: external.port,
    remote: remote?.address,
    remotePort: remote?.port ?? 0,
    nonce: undefined,
    expires: typeof record.left === "number" ? record.left * 1000 : Number.POSITIVE_INFINITY,
    clientPort: 0,
    details: undefined,
  }
}

const readEnd = (value: unknown): Endpoint => {
  const end = typeof value === "object" && value !== null ? value : {}
  const address = "address" in end && typeof end.address === "string" ? parseAddress(end.address) : undefined
  return { address: address ?? ANY4, port: "port" in end ? Number(end.port) : 0 }
}

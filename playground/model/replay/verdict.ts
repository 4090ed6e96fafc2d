import { type Out, REASON_CLAUSES, type Reason, type Side } from "../../../core/cgn/index.ts"
import { type IpSummary, readIp } from "./ip-packet.ts"

/** What became of a packet of data, in the words of the page. */
export type VerdictKind =
  | "translated"
  /** Let through as it is: a firewall, or a destination that is not translated. */
  | "passed"
  /** From one internal host to another by an external end (RFC 4787 REQ-9). */
  | "hairpinned"
  /** No filter or flow lets this remote peer in. */
  | "filtered"
  | "dropped"
  /** Dropped, and its sender was told by ICMP. */
  | "returned"
  /** A fragment that waits for others. */
  | "kept"

export interface Verdict {
  readonly kind: VerdictKind
  readonly from: Side
  /** Where it leaves; `undefined`: nowhere. */
  readonly to: Side | undefined
  /** The packet as it came. */
  readonly arrived: IpSummary | undefined
  /** As it goes on, or the ICMP error that goes back. */
  readonly left: readonly IpSummary[]
  readonly packets: readonly Uint8Array[]
  readonly reason: Reason | undefined
  /** Where it stands that such a packet goes no further. */
  readonly clause: string | undefined
  /** One sentence. */
  readonly text: string
}

/** The verdict on a packet that arrived on a side. */
export const verdictOf = (bytes: Uint8Array, from: Side, out: Out): Verdict => {
  const arrived = readIp(bytes)
  const name = arrived?.text ?? "that is no IP packet"
  const base = { from, arrived, left: [], packets: [], reason: undefined, clause: undefined, to: undefined }
  switch (out.kind) {
    case "forwarded": {
      const left = out.packets.map(readIp).filter((one) => one !== undefined)
      const kind = out.side === from ? "hairpinned" : left[0]?.text === arrived?.text ? "passed" : "translated"
      const text =
        kind === "passed" ? `${name}: passes as it is` : `${name} becomes ${left.map((one) => one.text).join(", ")}`
      return { ...base, kind, to: out.side, left, packets: out.packets, text }
    }
    case "returned": {
      const { reason, packet } = out
      const left = [readIp(packet)].filter((one) => one !== undefined)
      const text = `${name}: dropped (${wordsOf(reason)}), and its sender is told`
      return {
        ...base,
        kind: "returned",
        to: from,
        left,
        packets: [packet],
        reason,
        clause: REASON_CLAUSES[reason],
        text,
      }
    }
    case "dropped": {
      const { reason } = out
      const kind = reason === "filtered" ? "filtered" : "dropped"
      const why = kind === "filtered" ? "no filter or flow lets this remote peer in" : `dropped: ${wordsOf(reason)}`
      return { ...base, kind, reason, clause: REASON_CLAUSES[reason], text: `${name}: ${why}` }
    }
    case "kept":
      return { ...base, kind: "kept", text: `${name}: a fragment, which waits for the others` }
  }
}

const WORDS: Partial<Readonly<Record<Reason, string>>> = {
  "not-served": "its source is not served",
  "no-mapping": "nobody inside has that address and port",
  "no-resources": "no external port is free",
  "over-quota": "the host has as many mappings as it may",
  "no-connection": "it opens no connection, and is of none that is known",
  "no-flow": "it is about no flow that is known",
}

const wordsOf = (reason: Reason): string => WORDS[reason] ?? reason.replaceAll("-", " ")

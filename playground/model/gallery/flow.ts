import { FIRST_FORM_PORT, FLOW_PORT, type FlowPorts } from "../../../core/flow/index.ts"
import { directionOf, type OpenedPacket } from "../open/index.ts"
import type { Example } from "./example.ts"
import { address, hex } from "./packet.ts"

const REQUESTER = address("192.0.2.2")
const RESPONDER = address("203.0.113.1")
/** The port of the system's choice from which the first form asks. */
const FRESH = 49200

const sent = (bytes: Uint8Array, isAnswer: boolean, near: number, far: number): OpenedPacket => {
  const [asking, asked] = [
    { address: REQUESTER, port: near },
    { address: RESPONDER, port: far },
  ]
  const [source, destination] = isAnswer ? [asked, asking] : [asking, asked]
  const ports: FlowPorts = { sourcePort: source.port, destinationPort: destination.port }
  return { bytes, direction: directionOf(bytes, ports), source, destination }
}

const today = (digits: string, isAnswer: boolean): OpenedPacket => sent(hex(digits), isAnswer, FLOW_PORT, FLOW_PORT)

/** What every management message but FLOW_REQ has for its quality of service. */
const NO_QOS = "0000000000000000 00000000 00000000 00000000 00000000 00000000"
/** The MD5 of `oecho`, by which today's form asks for it. */
const HASH = "c36f43274cb781532a4bd6e0b9d47d3e"
const RAW = "0000000000000000 ffffffff 00000001 00000001 ffffffff 0001d4c0"

/** Flow allocation over UDP, as the UDP IPC process of Ouroboros does it. */
export const FLOW_EXAMPLES: readonly Example[] = [
  {
    kind: "packets",
    group: "flows",
    id: "flow-current",
    title: "A flow, asked for and had",
    why: "FLOW_REQ with the name's hash, FLOW_REPLY with the other endpoint id, then messages behind that (Ouroboros, struct mgmt_msg).",
    packets: () => [
      today(`00000000 00000040 00000000 00000000 ${RAW} 01 00 00 ${HASH}`, false),
      today(`00000000 00000040 00000041 00000000 ${NO_QOS} 02 00 00`, true),
      today("00000041 68656c6c6f", false),
      today("00000040 68656c6c6f", true),
      today("00000041", false),
    ],
  },
  {
    kind: "packets",
    group: "flows",
    id: "flow-refused",
    title: "A flow, refused",
    why: "A FLOW_REPLY with -1007, ENAME: nobody serves the name (Ouroboros, struct mgmt_msg).",
    packets: () => [
      today(`00000000 00000042 00000000 00000000 ${RAW} 01 00 00 ${HASH}`, false),
      today(`00000000 00000042 00000000 fffffc11 ${NO_QOS} 02 00 00`, true),
    ],
  },
  {
    kind: "packets",
    group: "flows",
    id: "flow-first",
    title: "A flow as in 2016",
    why: "The name alone, to port 3359, tells it from anything else; the echo comes from a port of its own (Ouroboros, ipcp_udp_listener).",
    packets: () => [sent(hex("6f6563686f"), false, FRESH, FIRST_FORM_PORT)],
  },
]

/** The numbers of the Ouroboros UDP IPC process, in both wire forms that are spoken here. */

/** Which wire form: `first` is that of April 2016 (commit 38c41698 with the length of eb9f4437), `current` that of September 2025 (8de42096). */
export type FlowForm = "first" | "current"

/** UDP port of a server of the first form: 0x0D1F (commit 38c41698, `LISTEN_PORT`). */
export const FIRST_FORM_PORT = 0x0d1f
/** UDP port of both ends in today's form, unless a layer is given another one (`udp4_config_msg.port`). */
export const FLOW_PORT = 3435

/** Octets of the endpoint id in front of every datagram of today's form. */
export const EID_LENGTH = 4
/** The endpoint id of management messages: no flow has it. */
export const MANAGEMENT_EID = 0
/** Octets of `struct mgmt_msg`, packed. */
export const MANAGEMENT_LENGTH = 47
/** Octets of a name's MD5 hash. */
export const HASH_LENGTH = 16
/** Octets of a name at most (`NAME_SIZE`). */
export const NAME_LENGTH = 255

/** Octets of a datagram over UDP on IPv4 at most, the endpoint id with it (`IPCP_UDP_MAX_PACKET_SIZE`). */
export const MAX_PACKET_4 = 8980
/** The same on IPv6. */
export const MAX_PACKET_6 = 8952

/** The first endpoint id of the reference, which counts the descriptors of a process (`PROG_RES_FDS`). */
export const FIRST_EID = 64
/** Its last one (`PROG_MAX_FLOWS` - 1). */
export const LAST_EID = 4095
/** The largest endpoint id to give out: the reference keeps a peer's in a signed 32-bit number. */
export const LARGEST_EID = 0x7fffffff

/** What a management message is, its octet 44. */
export const FlowCode = { FLOW_REQ: 1, FLOW_REPLY: 2 } as const

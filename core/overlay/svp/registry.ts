/** The TCP port of SVP servers. */
export const SVP_PORT = 1296
/** Octets of the header of each message. */
export const SVP_HEADER = 16

/** What a message asks or answers. */
export const SvpOp = {
  PING: 1,
  PONG: 2,
  VL2_REQ: 3,
  VL2_ACK: 4,
  VL3_REQ: 5,
  VL3_ACK: 6,
  BULK_REQ: 7,
  BULK_ACK: 8,
  LOG_REQ: 9,
  LOG_ACK: 10,
  LOG_RM: 11,
  LOG_RM_ACK: 12,
  SHOOTDOWN: 13,
  /** Version 2 alone. */
  ROUTE_REQ: 14,
  /** Version 2 alone. */
  ROUTE_ACK: 15,
} as const

/** How an answer went. */
export const SvpStatus = {
  OK: 0,
  /** The connection is to be closed. */
  FATAL: 1,
  NOTFOUND: 2,
  BADL3TYPE: 3,
  BADBULK: 4,
} as const

/** What kind of address VL3_REQ asks for. */
export const Vl3Type = { IPV4: 1, IPV6: 2 } as const

/** The kinds of a log's records. */
export const SvpLogType = { VL2: 1, VL3: 2, ROUTE: 3 } as const

/** The reference's structures, for clauses. */
export const SVP_CLAUSE = "SVP svp_req"

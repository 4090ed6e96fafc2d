/**
 * What the application is told when something fails, as `dev.h` names it, with its number: a reply on the wire carries the
 * number negated. Those from 1000 on are Ouroboros' own, the others errno of Linux.
 */
export const FLOW_ERRORS = {
  /** Not permitted: an allocation without a timeout of its own that took too long, or a write on a flow for reading. */
  EPERM: 1,
  /** No such flow. */
  EBADF: 9,
  /** Nothing to read yet, on a flow that does not wait. */
  EAGAIN: 11,
  /** No room: a bound of the settings is reached. */
  ENOMEM: 12,
  /** The name is there already. */
  EEXIST: 17,
  /** An argument is out of its bounds. */
  EINVAL: 22,
  /** The other end of the wait is gone: the name, or the process. */
  EPIPE: 32,
  /** Longer than the layer carries, or than the buffer. */
  EMSGSIZE: 90,
  /** There is no socket of the address' family here. */
  EAFNOSUPPORT: 97,
  /** Nobody answered in time. */
  ETIMEDOUT: 110,
  /** The application refused, and gave no other reason. */
  ECONNREFUSED: 111,
  /** The caller gave up. */
  ECANCELED: 125,
  /** The flow is not allocated, or not any more. */
  ENOTALLOC: 1000,
  EIPCPTYPE: 1001,
  EIRMD: 1002,
  /** No layer knows the name, or the layer below failed. */
  EIPCP: 1003,
  EIPCPSTATE: 1004,
  /** The flow is down. */
  EFLOWDOWN: 1005,
  /** Nothing was heard from the peer for the flow's timeout. */
  EFLOWPEER: 1006,
  /** No such name. */
  ENAME: 1007,
  ECRYPT: 1008,
  EAUTH: 1009,
} as const

/** One of {@link FLOW_ERRORS}. */
export type FlowErrorName = keyof typeof FLOW_ERRORS

/** The response that stands for it on the wire: its number, negated. */
export const responseOf = (name: FlowErrorName): number => -FLOW_ERRORS[name]

/** The name of a response's number: `undefined` for 0, which is no error, and for numbers that have none here. */
export const errorNameOf = (response: number): FlowErrorName | undefined => {
  for (const name of ERROR_NAMES) if (FLOW_ERRORS[name] === -response) return name
  return undefined
}

const isErrorName = (name: string): name is FlowErrorName => name in FLOW_ERRORS
const ERROR_NAMES: readonly FlowErrorName[] = Object.keys(FLOW_ERRORS).filter(isErrorName)

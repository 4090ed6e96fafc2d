/** The states of a flow, numbered as the reference's (`enum flow_state`). */
export const FlowState = {
  /** Not begun: no flow is ever seen in it. */
  INIT: 0,
  /** Asked for, and not answered yet. */
  ALLOC_PENDING: 1,
  /** Somebody waits for a request, or was offered one. */
  ACCEPT_PENDING: 2,
  /** Messages go both ways. */
  ALLOCATED: 3,
  /** Ended after it was allocated: its endpoint id rests. */
  DEALLOC_PENDING: 4,
  /** Ended before it was allocated, or destroyed. */
  DEALLOCATED: 5,
} as const

/** The name of one of {@link FlowState}. */
export type FlowStateName = keyof typeof FlowState

/** Not a flow yet: a request for which nobody accepts so far. */
export const ARRIVED = 8

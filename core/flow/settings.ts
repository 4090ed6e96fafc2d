import { FIRST_EID, type FlowForm, LARGEST_EID, LAST_EID } from "./registry.ts"

/** How a layer behaves. Times are milliseconds. */
export interface FlowSettings {
  /** The wire form of every datagram. */
  readonly form: FlowForm
  /** `sequential`: the next free one, as the reference's descriptors; `random`: unguessable, from the seed. */
  readonly eids: "sequential" | "random"
  /** The smallest endpoint id to give out, 1 or more. */
  readonly firstEid: number
  /** The largest, 2^31 - 1 at most. */
  readonly lastEid: number
  /** Flows at once, those that wait and those whose endpoint id rests among them. Beyond, requests are dropped. */
  readonly maxFlows: number
  /** Names at once. */
  readonly maxNames: number
  /** Requests of one name that wait for somebody to accept. Beyond, they are dropped: the requester asks again. */
  readonly maxWaiting: number
  /** How long an allocation may take that brings no timeout of its own: it then fails with EPERM. */
  readonly allocTimeout: number
  /** How long a request waits for somebody to accept; twice as long where a program is bound that can be started. */
  readonly arrivalTimeout: number
  /** How long whoever was offered a request may take to answer it. */
  readonly respondTimeout: number
  /** From a request to its first repetition; each further one comes after twice the time. */
  readonly retransmitFirst: number
  /** The longest time between two repetitions. */
  readonly retransmitMost: number
  /**
   * How long a datagram may be under way, and its answer (`IPCP_UDP_MPL` is 5 s each): an endpoint id rests so long after its peer holds the flow for
   * gone at the latest, and after the last datagram that came for it.
   */
  readonly linger: number
  /** An endpoint id rests no longer than this, however many still come, and whatever timeout its flow had. */
  readonly lingerMost: number
  /** A flow's own timeout counts as this one where it is shorter and not 0. */
  readonly minTimeout: number
  /**
   * The timeout of a flow that somebody else asked for counts as this one where it is longer, or 0, by which a requester could hold it for ever. A
   * flow that was asked for here keeps its own.
   */
  readonly mostTimeout: number
  /** Tell the peer, by a datagram without octets, that the flow is there: each quarter of its timeout in which nothing else was sent. */
  readonly keepAlive: boolean
  /** Answer a request that comes to nothing with a negative response, where the reference says nothing: today's form alone has one. */
  readonly refusals: boolean
}

/** Today's form with the reference's numbers. */
export const DEFAULT_FLOW_SETTINGS: FlowSettings = Object.freeze({
  form: "current",
  eids: "sequential",
  firstEid: FIRST_EID,
  lastEid: LAST_EID,
  maxFlows: 4032,
  maxNames: 100_000,
  maxWaiting: 64,
  allocTimeout: 20_000,
  arrivalTimeout: 1000,
  respondTimeout: 20_000,
  retransmitFirst: 500,
  retransmitMost: 4000,
  linger: 10_000,
  lingerMost: 600_000,
  minTimeout: 1000,
  mostTimeout: 86_400_000,
  keepAlive: true,
  refusals: true,
})

/** Which setting is out of its bounds. */
export interface FlowSettingsError {
  /** Its name, or that of another option. */
  readonly setting: keyof FlowSettings | "seed" | "now"
  /** One sentence for people. */
  readonly text: string
}

/** Milliseconds: 31 bits, so that sums of some of them are exact. */
const LONGEST = 0x7fffffff
const TIMES = [
  "allocTimeout",
  "arrivalTimeout",
  "respondTimeout",
  "retransmitFirst",
  "retransmitMost",
  "linger",
  "lingerMost",
  "minTimeout",
  "mostTimeout",
] as const

/** The first fault of settings; `undefined`: there is none. */
export const checkFlowSettings = (settings: FlowSettings): FlowSettingsError | undefined => {
  const { firstEid, lastEid, maxFlows, maxNames, maxWaiting } = settings
  const wrong = (setting: keyof FlowSettings, text: string): FlowSettingsError => ({ setting, text })
  for (const setting of TIMES) {
    const value = settings[setting]
    if (!Number.isInteger(value) || value < 1 || value > LONGEST)
      return wrong(setting, `${setting} is 1 to ${LONGEST} ms, not ${value}`)
  }
  if (!Number.isInteger(firstEid) || firstEid < 1 || firstEid > LARGEST_EID)
    return wrong("firstEid", `firstEid is 1 to ${LARGEST_EID}, not ${firstEid}`)
  if (!Number.isInteger(lastEid) || lastEid < firstEid || lastEid > LARGEST_EID)
    return wrong("lastEid", `lastEid is ${firstEid} to ${LARGEST_EID}, not ${lastEid}`)
  if (!Number.isInteger(maxFlows) || maxFlows < 1 || maxFlows > lastEid - firstEid + 1)
    return wrong("maxFlows", `maxFlows is 1 to ${lastEid - firstEid + 1}, as many as there are endpoint ids`)
  if (!Number.isInteger(maxNames) || maxNames < 1) return wrong("maxNames", "maxNames is 1 or more")
  if (!Number.isInteger(maxWaiting) || maxWaiting < 0) return wrong("maxWaiting", "maxWaiting is 0 or more")
  if (settings.form !== "first" && settings.form !== "current") return wrong("form", "form is first or current")
  if (settings.eids !== "sequential" && settings.eids !== "random") return wrong("eids", "eids is sequential or random")
  return undefined
}

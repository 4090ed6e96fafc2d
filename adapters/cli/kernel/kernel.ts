import { readFileSync } from "node:fs"
import { clock } from "#runtime"
import { type Change, createNpt, type Mapping } from "../../../core/cgn/index.ts"
import type { ServerState } from "../../../core/server/index.ts"
import { type Address, formatAddress } from "../../../core/wire/index.ts"
import {
  type Contents,
  createGate,
  createTable,
  createTrack,
  driftOf,
  firewallPlane,
  type Gate,
  hasNetAdmin,
  listTable,
  type Nft,
  type NftResult,
  nat44Plane,
  netlinkSockets,
  nftProgram,
  nptPlane,
  openConntrack,
  openLibrary,
  type Plane,
  type TrackSettings,
  withElements,
} from "../../linux/index.ts"
import type { Udp } from "../../udp.ts"
import { complain, note } from "../complain.ts"
import type { ServePlan } from "../config/plan.ts"
import type { Device } from "../device/device.ts"
import { oneLine } from "../one-line.ts"
import type { Read } from "../read.ts"
import type { ServeHost } from "../serve-listen.ts"
import type { KernelPlan } from "./plan.ts"

/** What a check of the kernel's table found, all of it mended. */
export interface KernelCheck {
  /** Elements that are right. */
  readonly sound: number
  /** Put in: they were not there, or other than they should be. */
  readonly put: number
  /** Taken out: they were nobody's. */
  readonly gone: number
  /** The table was gone, or had other rules: it was built anew. */
  readonly rebuilt: boolean
}

/** The kernel's table as a running server keeps it. */
export interface Kernel<S> {
  readonly gate: Gate<S>
  /** Builds the table of the host's state; before any datagram is served. */
  open(host: ServeHost<S>): Read<undefined>
  /** The plan's settings are in force: so they are in the kernel. */
  follow(plan: ServePlan): void
  /** Finds what the kernel has otherwise than the server, and mends it. */
  check(): Promise<Read<KernelCheck>>
  /** PEER mappings of connections that the kernel had before: the server's own state has no place for them. */
  mappings(): readonly Mapping[]
  /** Deletes those of a host, and gives how many they were. */
  revoke(internal: Address): number
  /** Takes the table away, unless it is to be kept. */
  close(): Promise<void>
}

/** Mappings that are read of the state at once. */
const PAGE = 1000
/** Milliseconds from one check to the next at the least; and how many times as long as a check took. */
const PERIOD = 15_000
const SHARE = 20
/** Milliseconds from one building of a whole table to the next, where the kernel refuses for reasons that building does not mend. */
const REST = 10_000

/** The kernel's words for a table, a set or an element that is not what it was. */
const DAMAGE = /No such file or directory|File exists/

const NOT_ALLOWED =
  "option '--nftables': it takes the capability CAP_NET_ADMIN in this network namespace, which this process has not"

export const createKernel = <S>(device: Device<S>, first: ServePlan, given: KernelPlan, udp: Udp): Kernel<S> => {
  const nft = openNft()
  const conntrack = openConntrack(complain)
  let plan = first
  let plane = planeOf(plan, given)
  let table = createTable(nft, plane)
  let host: ServeHost<S> | undefined
  let refusal = ""
  let builtAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let checking: Promise<unknown> = Promise.resolve()
  const closing = new AbortController()

  /** Changes that nobody asked for by a request. */
  const tell = (changes: readonly Change[]): void =>
    host?.act((state) => [state, { send: [], next: undefined, events: [{ type: "advanced", changes }] }])
  const track = isNat(first) ? createTrack(conntrack, trackOf(first, given), () => clock.now(), tell) : undefined
  const adopted = (): readonly Mapping[] => [...(track?.mappings() ?? [])]

  const contentsOf = ({ cgnState }: ServerState<S>, now: number): Contents => ({
    mappings: withAdopted(mappingsOf(device, cgnState, now), adopted()),
    filters: (end) => device.filters(cgnState, end),
  })
  const build = (state: ServerState<S>): NftResult => {
    const now = clock.now()
    builtAt = now
    return table.build(contentsOf(state, now), now)
  }
  /** Of a table that the server has to go on without, for as long as it cannot be built. */
  const rebuild = (state: ServerState<S>, why: string): void => {
    const done = build(state)
    complain(
      done.ok
        ? `nftables: ${firstLine(why)}: the table was built anew`
        : `nftables: the table cannot be built: ${firstLine(done.text)}`,
    )
  }
  const put = (changes: readonly Change[]): boolean => {
    const now = clock.now()
    const done = table.apply(changes, now)
    if (done.ok) {
      conntrack.end(done.ended)
      track?.committed(changes, now)
    } else {
      refusal = done.text
      track?.refused()
    }
    return done.ok
  }

  const gate = createGate<S>(udp, {
    commit: put,
    mend: (state) => {
      if (DAMAGE.test(refusal) || clock.now() - builtAt > REST) rebuild(state, refusal)
    },
    follow: (changes, state) => {
      if (!put(changes)) rebuild(state, refusal)
    },
  })

  const arm = (after: number): void => {
    timer = setTimeout(() => {
      const began = clock.now()
      void check().then((checked) => {
        if (!checked.ok && timer !== undefined)
          complain(`nftables: the table cannot be checked: ${firstLine(checked.text)}`)
        if (timer !== undefined) arm(Math.max(PERIOD, SHARE * (clock.now() - began)))
      })
    }, after)
    // The server's sockets keep the process running.
    timer.unref()
  }

  /** One at a time; and one that began before it was asked for says nothing of what happened since. */
  const check = (): Promise<Read<KernelCheck>> => {
    const checked = checking.then(look)
    checking = checked.catch(() => {})
    return checked
  }

  const look = async (): Promise<Read<KernelCheck>> => {
    if (host === undefined) return { ok: false, text: "it is not there yet" }
    // One that waited for another check mends nothing any more.
    if (closing.signal.aborted) return { ok: false, text: "it was stopped" }
    const began = clock.now()
    const rebuilt = !table.isWhole()
    if (rebuilt) rebuild(host.state(), "somebody changed it")
    const version = table.version()
    const listed = await listTable(plane, { halt: closing.signal })
    if (!listed.ok) return listed
    const now = clock.now()
    const wanted = table.wanted(contentsOf(host.state(), now), now)
    const drift = driftOf(wanted, listed.value, now - began)
    // What differs because the server changed it while the kernel was listed is mended too, which does nothing to it, and is not told.
    const hasChanged = version !== table.version()
    const { put, gone } = drift
    const done = table.mend(put, gone)
    if (!done.ok) rebuild(host.state(), done.text)
    else if (!hasChanged && put.length + gone.length > 0)
      complain(`nftables: somebody changed the table: ${put.length} elements put in, ${gone.length} taken out`)
    const [wrong, extra] = hasChanged ? [0, 0] : [put.length, gone.length]
    return { ok: true, value: { sound: wanted.size - put.length, put: wrong, gone: extra, rebuilt } }
  }

  return {
    gate,
    open: (opened) => {
      // Asked first: libnftables would tell whoever lacks it to be root, on standard error.
      if (hasNetAdmin() === false) return { ok: false, text: NOT_ALLOWED }
      host = opened
      if (track !== undefined)
        opened.act((state) => [
          { ...state, cgn: track.wrap(state.cgn) },
          { send: [], next: undefined, events: [] },
        ])
      gate.open(opened)
      const done = build(opened.state())
      if (!done.ok) {
        const why = /Operation not permitted/.test(done.text) ? `${NOT_ALLOWED}: ` : "nftables: "
        return { ok: false, text: `${why}${oneLine(done.text.trim())}` }
      }
      const sockets = "rest" in udp ? "many a call" : "one a call"
      note(
        `nftables by ${nft.way}, connections by ${conntrack.way}, datagrams ${sockets}; outside: ${given.outside.join(", ")}`,
      )
      if (isForwardingOff(plane.family))
        complain(`the kernel forwards nothing: sysctl ${FORWARDING[plane.family].replaceAll("/", ".")} is 0`)
      arm(PERIOD)
      return { ok: true, value: undefined }
    },
    follow: (after) => {
      const gone = removedOf(plan, after)
      plan = after
      if (isNat(after)) track?.follow(trackOf(after, after.kernel ?? given))
      const next = planeOf(after, after.kernel ?? given)
      if (next.body === plane.body || host === undefined) return
      plane = next
      table = createTable(nft, plane)
      const done = build(host.state())
      if (!done.ok) complain(`nftables: the table cannot be built: ${firstLine(done.text)}`)
      // What had an address that is ours no longer cannot go on.
      conntrack.end(gone.map((address) => ({ family: 4, protocol: undefined, answers: formatAddress(address) })))
    },
    check,
    mappings: adopted,
    revoke: (internal) => {
      const its = adopted().filter((mapping) => mapping.internal === internal)
      if (its.length > 0) tell(its.map((mapping) => ({ type: "deleted", mapping })))
      return its.length
    },
    close: async () => {
      clearTimeout(timer)
      timer = undefined
      closing.abort()
      await checking
      if (!given.keepRules) table.remove()
      track?.close()
      await conntrack.idle()
      conntrack.close()
      nft.close()
    },
  }
}

const openNft = (): Nft => {
  const library = openLibrary()
  if (library.ok) {
    const sockets = netlinkSockets()
    const socket = sockets.ok ? sockets.value(0) : undefined
    return socket === undefined ? library.value : withElements(library.value, socket)
  }
  complain(`libnftables: ${firstLine(library.text)}: the program nft is used instead, one process a batch`)
  return nftProgram()
}

const planeOf = (
  { settings: { cgn, inside, pairs, server } }: ServePlan,
  { outside, implicitPorts }: KernelPlan,
): Plane => {
  const { external, staticMappings = [] } = cgn
  if (server.profile.kind === "nptv6") {
    const made = createNpt({ pairs })
    return nptPlane({ outside, translators: made.ok ? made.state.translators : [] })
  }
  if (server.profile.kind !== "nat444")
    return firewallPlane({ family: server.profile.mapInternal ? 4 : 6, outside, inside })
  const others = new Set(staticMappings.map((mapping) => mapping.external).filter((one) => !external.includes(one)))
  return nat44Plane({ outside, external, staticExternal: [...others], implicitPorts })
}

const isNat = ({ settings: { server } }: ServePlan): boolean => server.profile.kind === "nat444"

const trackOf = ({ settings: { cgn } }: ServePlan, { implicitPorts }: KernelPlan): TrackSettings => ({
  external: [...new Set([...cgn.external, ...(cgn.staticMappings ?? []).map(({ external }) => external)])],
  implicitPorts,
  idleTimeout: cgn.idleTimeout,
  quota: cgn.quota,
  noncePolicy: cgn.noncePolicy ?? "rfc",
})

const removedOf = (before: ServePlan, after: ServePlan): readonly Address[] =>
  before.settings.cgn.external.filter((address) => !after.settings.cgn.external.includes(address))

function* mappingsOf<S>(device: Device<S>, state: S, now: number): Generator<Mapping> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = device.list(state, now, after, PAGE)
    yield* page.mappings
    after = page.after
  }
}

/** Both, where what one PEER has of the server's own comes before what it has of the kernel's connections. */
function* withAdopted(mappings: Iterable<Mapping>, adopted: readonly Mapping[]): Generator<Mapping> {
  const keyOf = ({ protocol, internal, internalPort, remote, remotePort }: Mapping): string =>
    `${protocol} ${internalPort} ${remotePort} ${internal} ${remote}`
  const taken = new Set<string>()
  for (const mapping of mappings) {
    if (adopted.length > 0 && mapping.kind === "peer") taken.add(keyOf(mapping))
    yield mapping
  }
  for (const mapping of adopted) if (!taken.has(keyOf(mapping))) yield mapping
}

/** Where the kernel says whether it forwards packets of a family at all. */
const FORWARDING = { ip: "net/ipv4/ip_forward", ip6: "net/ipv6/conf/all/forwarding" } as const

const isForwardingOff = (family: keyof typeof FORWARDING): boolean => {
  try {
    return readFileSync(`/proc/sys/${FORWARDING[family]}`, "utf8").trim() === "0"
  } catch {
    // Not to be read here.
    return false
  }
}

/** What nft says first is what is wrong; after it comes the command, which may be long. */
const firstLine = (text: string): string => text.trim().split("\n")[0]

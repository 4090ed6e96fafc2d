import { formatAddress, protocolName } from "../../core/wire/index.ts"
import {
  type ChangeLine,
  type CounterRow,
  changeLines,
  endText,
  type Story,
  type SubscriberRow,
  type View,
} from "../model/replay/index.ts"
import { clockText, leftText } from "./clock.ts"
import { useGlow } from "./glow.ts"

/** Lines of the change list, and moments that are looked through for them. */
const LINES = 40
const FAR = 400
const SUBSCRIBERS = 100
const HELD = 12

/** What the server has counted so far. */
export const Counters = ({ view }: { readonly view: View }) =>
  view.counters.length === 0 ? (
    <p class="rv-quiet">nothing was counted yet</p>
  ) : (
    <ul class="rv-counters">
      {view.counters.map((row) => (
        <Counter key={row.name} row={row} />
      ))}
    </ul>
  )

const Counter = ({ row: { name, count, more } }: { readonly row: CounterRow }) => {
  const ref = useGlow<HTMLLIElement>(`${count}`)
  return (
    <li ref={ref}>
      {name} <span class="rv-mono">{count}</span>
      {more > 0 ? <span class="rv-quiet rv-mono"> +{more}</span> : null}
    </li>
  )
}

interface Dated extends ChangeLine {
  readonly at: number
  readonly isNow: boolean
}

const linesUntil = (replay: Story, view: View): readonly Dated[] => {
  const lines: Dated[] = []
  for (let place = view.moment; place > Math.max(-1, view.moment - FAR) && lines.length < LINES; place--) {
    const { at, changes } = replay.moments[place]
    for (const line of changeLines(changes).toReversed()) lines.push({ ...line, at, isNow: place === view.moment })
  }
  return lines.slice(0, LINES)
}

const SIGNS = { "+": "came", "~": "changed", "−": "went" } as const

/** What changed, the latest first. */
export const Changes = ({ replay, view }: { readonly replay: Story; readonly view: View }) => {
  const lines = linesUntil(replay, view)
  if (lines.length === 0) return <p class="rv-quiet">nothing changed yet</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section class="rv-scroll rv-short" tabIndex={0} aria-label="list of changes">
      <ol class="rv-changes">
        {lines.map(({ at, sign, text, isNow }, i) => (
          <li key={`${at} ${text} ${lines.length - i}`} class={isNow ? "rv-is-now" : ""}>
            <span class="rv-mono rv-quiet">{clockText(at)}</span>{" "}
            <span class="rv-sign rv-mono" role="img" aria-label={SIGNS[sign]}>
              {sign}
            </span>{" "}
            {text}
          </li>
        ))}
      </ol>
    </section>
  )
}

/** Hosts, and what they have of what they may have; how full the pool is. */
export const Subscribers = ({ view }: { readonly view: View }) => {
  const { subscribers, pool, groups = [], held = [] } = view
  return (
    <>
      {subscribers.length === 0 ? (
        <p class="rv-quiet">nobody has a mapping</p>
      ) : (
        <ul class="rv-subscribers">
          {subscribers.slice(0, SUBSCRIBERS).map((row) => (
            <Subscriber key={`${row.internal}${row.realm ?? ""}`} row={row} />
          ))}
          {subscribers.length > SUBSCRIBERS ? (
            <li class="rv-quiet">and {subscribers.length - SUBSCRIBERS} more</li>
          ) : null}
        </ul>
      )}
      {groups.length === 0 ? null : (
        <ul class="rv-subscribers" aria-label="subscribers with a quota of their own">
          {groups.slice(0, SUBSCRIBERS).map(({ name, hosts, explicit, quota }) => (
            <li key={name}>
              <span class="rv-mono">{name}</span>
              <meter min={0} max={quota} value={explicit} aria-label={`quota of ${name}`} />
              <span>
                <span class="rv-mono">
                  {explicit} of {quota}
                </span>{" "}
                asked for, by <span class="rv-mono">{hosts}</span> {hosts === 1 ? "host" : "hosts"}
              </span>
            </li>
          ))}
          {groups.length > SUBSCRIBERS ? <li class="rv-quiet">and {groups.length - SUBSCRIBERS} more</li> : null}
        </ul>
      )}
      {held.length === 0 ? null : (
        <p class="rv-quiet">
          held for former owners:{" "}
          {held.slice(0, HELD).map((one) => (
            <span key={`${one.protocol}${one.external}${one.externalPort}`} class="rv-held-end">
              <span class="rv-mono">
                {protocolName(one.protocol)} {endText(one.external, one.externalPort)}
              </span>{" "}
              for <span class="rv-mono">{formatAddress(one.internal)}</span>,{" "}
              <span class="rv-mono">{leftText((one.until - view.at) / 1000)}</span>
            </span>
          ))}
          {held.length > HELD ? `and ${held.length - HELD} more` : ""}
        </p>
      )}
      {pool === undefined ? null : (
        <p class="rv-quiet">
          pool: UDP <span class="rv-mono">{pool.udp.taken}</span> of <span class="rv-mono">{pool.udp.ports}</span>, TCP{" "}
          <span class="rv-mono">{pool.tcp.taken}</span> of <span class="rv-mono">{pool.tcp.ports}</span> ports taken
        </p>
      )}
    </>
  )
}

const Subscriber = ({ row: { internal, realm, mappings, explicit, quota } }: { readonly row: SubscriberRow }) => {
  const ref = useGlow<HTMLLIElement>(`${mappings} ${explicit}`)
  const name = `${realm === undefined ? "" : `${formatAddress(realm)} · `}${formatAddress(internal)}`
  const by = mappings - explicit
  return (
    <li ref={ref}>
      <span class="rv-mono">{name}</span>
      {quota === 0 ? null : <meter min={0} max={quota} value={explicit} aria-label={`quota of ${name}`} />}
      <span>
        <span class="rv-mono">{quota === 0 ? explicit : `${explicit} of ${quota}`}</span> asked for
        {by > 0 ? (
          <>
            , <span class="rv-mono">{by}</span> by traffic
          </>
        ) : null}
      </span>
    </li>
  )
}

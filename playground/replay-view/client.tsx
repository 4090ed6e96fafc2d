import { useMemo, useState } from "preact/hooks"
import { factsOf, summaryOf } from "../model/capture/index.ts"
import {
  type Act,
  eventWords,
  GOOD_LINK,
  type LinkSettings,
  type Mark,
  type Run,
  runScenario,
} from "../model/network/index.ts"
import { PRESETS } from "../model/session/index.ts"
import { ClientTimeline } from "./client-timeline.tsx"
import { clockText } from "./clock.ts"
import type { Room } from "./room.ts"
import { Timings } from "./timings.tsx"

/** A bad enough network that there is something to see. */
const FIRST_LINK: LinkSettings = { ...GOOD_LINK, loss: 0.3, delay: 60, jitter: 20 }
const SPANS = {
  all: "the whole run",
  "3600000": "1 h",
  "600000": "10 min",
  "60000": "1 min",
  "10000": "10 s",
  "1000": "1 s",
} as const
const LIFETIME = 600
const LISTED = 300

/** The built-in client against this CGN over a network that loses, delays and reorders. */
export const ClientPanel = ({
  room,
  onOpen,
}: {
  readonly room: Room
  readonly onOpen: (bytes: Uint8Array) => void
}) => {
  const configuration = room.session.value?.configuration ?? PRESETS.nat444
  const [link, setLink] = useState(FIRST_LINK)
  const [lifetime, setLifetime] = useState(LIFETIME)
  const [minutes, setMinutes] = useState(30)
  const [event, setEvent] = useState<"nothing" | "restart" | "outage">("nothing")
  const [span, setSpan] = useState<keyof typeof SPANS>("all")
  const [middle, setMiddle] = useState(0)
  const until = minutes * 60_000
  const made = useMemo(() => {
    const ask = {
      type: "request",
      at: 0,
      id: "web",
      request: { kind: "inbound", protocol: 6, internalPort: 8080, lifetime },
    } as const
    const half = until / 2
    const more: readonly Act[] =
      event === "restart"
        ? [{ type: "restart", at: half }]
        : event === "outage"
          ? [{ type: "outage", at: half / 2, until: half }]
          : []
    return runScenario({ configuration, link, acts: [ask, ...more], until })
  }, [configuration, link, lifetime, until, event])
  const whole = span === "all" ? until : Math.min(until, Number(span))
  const from = Math.max(0, Math.min(until - whole, middle - whole / 2))
  const show = (at: number): void => {
    setMiddle(at)
    if (span === "all") setSpan("60000")
  }
  const slide = (name: "loss" | "delay" | "jitter" | "reordering", label: string, most: number, unit: "%" | "ms") => {
    const factor = unit === "%" ? 100 : 1
    const value = Math.round(link[name] * factor)
    return (
      <label class="rv-slider">
        <span>{label}</span>
        <input
          type="range"
          min={0}
          max={most}
          step={unit === "%" ? 1 : 10}
          value={value}
          aria-valuetext={`${value} ${unit}`}
          onInput={(input) => setLink({ ...link, [name]: Number(input.currentTarget.value) / factor })}
        />
        <output class="rv-mono">
          {value} {unit}
        </output>
      </label>
    )
  }
  return (
    <section class="rv-client" aria-label="built-in client">
      <div class="rv-client-controls">
        <p class="rv-quiet">
          The client asks for TCP port 8080 and keeps it, against the CGN of this session. All of it is computed: the
          same seed gives the same network.
        </p>
        {slide("loss", "loss", 100, "%")}
        {slide("delay", "delay, one way", 5000, "ms")}
        {slide("jitter", "jitter", 5000, "ms")}
        {slide("reordering", "reordering", 100, "%")}
        <div class="rv-fields">
          <NumberField label="seed" value={link.seed} most={0xffffffff} onSet={(seed) => setLink({ ...link, seed })} />
          <NumberField label="requested lifetime, s" value={lifetime} least={1} most={86400} onSet={setLifetime} />
          <NumberField label="minutes" value={minutes} least={1} most={1440} onSet={setMinutes} />
          <label class="rv-field">
            <span>and the CGN</span>
            <select
              value={event}
              onChange={(input) =>
                setEvent(({ restart: "restart", outage: "outage" } as const)[input.currentTarget.value] ?? "nothing")
              }
            >
              <option value="nothing">stays up</option>
              <option value="restart">restarts half-way</option>
              <option value="outage">is gone for a quarter</option>
            </select>
          </label>
        </div>
      </div>
      {made.ok ? (
        <div class="rv-client-run">
          <Summary run={made.value} />
          <ClientTimeline run={made.value} from={from} span={whole} onOpen={onOpen} />
          <div class="rv-row-of-controls">
            <label class="rv-field">
              <span>show</span>
              <select
                value={span}
                onChange={(input) => {
                  const wanted = input.currentTarget.value
                  for (const one of ["all", "3600000", "600000", "60000", "10000", "1000"] as const)
                    if (one === wanted) setSpan(one)
                }}
              >
                {Object.entries(SPANS).map(([value, words]) => (
                  <option key={value} value={value}>
                    {words}
                  </option>
                ))}
              </select>
            </label>
            <label class="rv-slider rv-grow">
              <span>from</span>
              <input
                type="range"
                min={0}
                max={Math.max(1, until - whole)}
                value={from}
                disabled={whole >= until}
                aria-valuetext={clockText(from)}
                onInput={(input) => setMiddle(Number(input.currentTarget.value) + whole / 2)}
              />
              <output class="rv-mono">{clockText(from)}</output>
            </label>
          </div>
          <Timings run={made.value} onGo={show} />
          <Log run={made.value} onGo={show} />
        </div>
      ) : (
        <p class="rv-fault">{made.text}</p>
      )}
    </section>
  )
}

interface NumberFieldProps {
  readonly label: string
  readonly value: number
  readonly least?: number
  readonly most: number
  readonly onSet: (value: number) => void
}

const NumberField = ({ label, value, least = 0, most, onSet }: NumberFieldProps) => (
  <label class="rv-field">
    <span>{label}</span>
    <input
      type="number"
      class="rv-mono"
      min={least}
      max={most}
      value={value}
      onInput={(event) => {
        const typed = Math.trunc(event.currentTarget.valueAsNumber)
        if (typed >= least && typed <= most) onSet(typed)
      }}
    />
  </label>
)

const Summary = ({ run }: { readonly run: Run }) => {
  const lost = run.flights.filter(({ arrived }) => arrived === undefined).length
  const again = run.flights.filter(({ from, transmission }) => from === "client" && transmission > 1).length
  const renewed = run.marks.filter((mark) => mark.type === "event" && mark.event.type === "renewed").length
  return (
    <p class="rv-summary" role="status">
      <span class="rv-mono">{run.flights.length}</span> datagrams, <span class="rv-mono">{lost}</span> lost,{" "}
      <span class="rv-mono">{again}</span> retransmissions, <span class="rv-mono">{renewed}</span> renewals
      {run.cut ? "; more than is kept" : ""}
    </p>
  )
}

const ACT_WORDS = {
  request: "the client is asked for a mapping",
  revoke: "the client is asked to give it back",
  restart: "the CGN restarts",
  outage: "the CGN is gone",
} as const

/** A mark in words; wake-ups say nothing that what follows does not. */
const wordsOf = (run: Run, mark: Mark): string | undefined => {
  switch (mark.type) {
    case "timer":
      return undefined
    case "act":
      return mark.act.type === "outage"
        ? `the CGN is gone until ${clockText(mark.act.until)}`
        : ACT_WORDS[mark.act.type]
    case "event":
      return eventWords(mark.event)
    case "flight": {
      const { from, bytes, arrived, transmission, heldBack } = run.flights[mark.flight]
      const way = from === "client" ? "→" : "←"
      const fate = arrived === undefined ? ", lost" : heldBack ? ", held back" : ""
      const again = from === "client" && transmission > 1 ? `, retransmission ${transmission - 1}` : ""
      return `${way} ${summaryOf(factsOf(bytes))}${again}${fate}`
    }
  }
}

const Log = ({ run, onGo }: { readonly run: Run; readonly onGo: (at: number) => void }) => {
  const lines = run.marks.flatMap((mark) => {
    const text = wordsOf(run, mark)
    return text === undefined ? [] : [{ at: mark.at, text, type: mark.type }]
  })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section class="rv-scroll" tabIndex={0} aria-label="log of the client">
      <ol class="rv-log">
        {lines.slice(0, LISTED).map(({ at, text, type }, i) => (
          <li key={i} class={`rv-log-${type}`}>
            <button type="button" class="rv-plain rv-mono" onClick={() => onGo(at)}>
              {clockText(at)}
            </button>{" "}
            {text}
          </li>
        ))}
        {lines.length > LISTED ? <li class="rv-quiet">and {lines.length - LISTED} more</li> : null}
      </ol>
    </section>
  )
}

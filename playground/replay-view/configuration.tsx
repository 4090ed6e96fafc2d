import { useMemo, useState } from "preact/hooks"
import { CGN_KINDS } from "../../core/cgn/index.ts"
import { type Address, formatAddress, parseAddress } from "../../core/wire/index.ts"
import { checkConfiguration, compareFutures, flagRows, withFlag } from "../model/replay/index.ts"
import { type CgnConfiguration, PRESETS } from "../model/session/index.ts"
import { Choice, Field } from "./attempt.tsx"
import { FutureList } from "./futures.tsx"
import type { Room } from "./room.ts"
import { KIND_NAMES } from "./session-bar.tsx"

const DEPENDENCES = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const
const KIND_WORDS: Readonly<Record<(typeof CGN_KINDS)[number], string>> = {
  nat444: "IPv4 inside, IPv4 outside: ports are shared (RFC 6888).",
  dslite: "IPv4 in softwires over IPv6, from B4 to AFTR (RFC 6333).",
  nat64: "IPv6 inside reaches IPv4 behind a prefix (RFC 6146).",
  nat46: "IPv4 hosts have IPv6 addresses outside; nothing is kept (RFC 7915).",
  nptv6: "One IPv6 prefix for another; ports stay (RFC 6296).",
  firewall4: "Nothing is translated; pinholes let IPv4 in.",
  firewall6: "Nothing is translated; pinholes let IPv6 in.",
  l2dslite: "IPv4 inside told apart by its link (RFC 6619).",
}

/** The CGN of the session: its kind, its switches with what each changes, and its numbers. Whatever is set is played at once. */
export const Configuration = ({ room }: { readonly room: Room }) => {
  const session = room.session.value
  const [refused, setRefused] = useState<string | undefined>(undefined)
  const before = room.before.value
  const main = room.branches.value[0]?.replay
  const effects = useMemo(
    () => (before === undefined || main === undefined ? undefined : compareFutures(before, main)),
    [before, main],
  )
  if (session === undefined) return null
  const { configuration } = session
  const set = (next: CgnConfiguration): void => {
    const why = checkConfiguration(next)
    setRefused(why)
    if (why === undefined) room.session.value = { ...session, configuration: next }
  }
  return (
    <section class="rv-configuration" aria-label="the CGN">
      <fieldset class="rv-kinds">
        <legend>kind</legend>
        {CGN_KINDS.map((kind) => (
          <label key={kind} class={kind === configuration.kind ? "rv-is-chosen" : ""}>
            <input
              type="radio"
              name="rv-kind"
              checked={kind === configuration.kind}
              onChange={() => set(PRESETS[kind])}
            />
            <span>
              <strong>{KIND_NAMES[kind]}</strong>
              <span class="rv-quiet">{KIND_WORDS[kind]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {refused === undefined ? null : <p class="rv-fault">It stays as it was: {refused}</p>}
      {effects === undefined ? null : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
        <section class="rv-effects" tabIndex={0} aria-label="what the last change did">
          <h3>
            {effects.length === 0
              ? "the last change makes no difference to this session"
              : `the last change makes ${effects.length} ${effects.length === 1 ? "difference" : "differences"} to this session`}
          </h3>
          <FutureList differences={effects.slice(0, 12)} left="before" right="now" onGo={room.goTo} />
        </section>
      )}
      <div class="rv-heading">
        <h3>profile</h3>
        <button type="button" class="rv-plain" onClick={() => set({ ...configuration, flags: {} })}>
          as the preset has it
        </button>
      </div>
      <ul class="rv-switches">
        {flagRows(configuration).map(({ flag, label, on, isPreset, now, turned, bar }) => (
          <li key={flag}>
            <label>
              <input
                type="checkbox"
                checked={on}
                disabled={bar !== undefined}
                onChange={() => set(withFlag(configuration, flag, !on))}
              />
              <span>
                <strong>{label}</strong>
                {isPreset ? null : <span class="rv-changed">changed</span>}
              </span>
            </label>
            <p>{now}</p>
            <p class="rv-quiet">
              {bar === undefined
                ? `${on ? "Off" : "On"}: ${turned}`
                : `It cannot be turned ${on ? "off" : "on"}: ${bar}`}
            </p>
          </li>
        ))}
      </ul>
      <h3>numbers</h3>
      <Numbers configuration={configuration} onSet={set} />
    </section>
  )
}

interface NumbersProps {
  readonly configuration: CgnConfiguration
  readonly onSet: (next: CgnConfiguration) => void
}

const Numbers = ({ configuration, onSet }: NumbersProps) => {
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({})
  const entry = (name: string, label: string, value: string, make: (text: string) => CgnConfiguration | undefined) => {
    const text = typed[name] ?? value
    const fault = text !== value && make(text) === undefined ? "that cannot be read" : undefined
    return (
      <Field
        key={name}
        label={label}
        value={text}
        fault={fault}
        onType={(next) => {
          const made = make(next)
          setTyped(
            made === undefined
              ? { ...typed, [name]: next }
              : Object.fromEntries(Object.entries(typed).filter(([one]) => one !== name)),
          )
          if (made !== undefined) onSet(made)
        }}
      />
    )
  }
  const number = (text: string, most: number): number | undefined =>
    /^\d{1,10}$/.test(text.trim()) && Number(text) <= most ? Number(text) : undefined
  const plain = (name: "quota" | "subscriberQuota" | "filterLimit" | "minLifetime" | "maxLifetime", label: string) =>
    entry(name, label, `${configuration[name]}`, (text) => {
      const value = number(text, 0x7fffffff)
      return value === undefined ? undefined : { ...configuration, [name]: value }
    })
  const { ports, external, idleTimeout } = configuration
  return (
    <div class="rv-fields">
      {entry("external", "external IPv4 addresses", external.map(formatAddress).join(", "), (text) => {
        const all = text.split(/[\s,]+/).filter((one) => one !== "")
        const read = all.map(parseAddress).filter((one): one is Address => one !== undefined)
        return read.length === all.length && read.length > 0 ? { ...configuration, external: read } : undefined
      })}
      {entry("first", "first external port", `${ports.first}`, (text) => {
        const first = number(text, 65535)
        return first === undefined || first > ports.last ? undefined : { ...configuration, ports: { ...ports, first } }
      })}
      {entry("last", "last external port", `${ports.last}`, (text) => {
        const last = number(text, 65535)
        return last === undefined || last < ports.first ? undefined : { ...configuration, ports: { ...ports, last } }
      })}
      {plain("quota", "mappings of a host, 0 for any")}
      {plain("subscriberQuota", "mappings of a subscriber, 0 for any")}
      {plain("minLifetime", "shortest lifetime, s")}
      {plain("maxLifetime", "longest lifetime, s")}
      {plain("filterLimit", "filters of a mapping")}
      {entry("udp", "idle UDP mapping, s", `${idleTimeout.udp}`, (text) => {
        const udp = number(text, 0x7fffffff)
        return udp === undefined ? undefined : { ...configuration, idleTimeout: { ...idleTimeout, udp } }
      })}
      {entry("tcp", "idle TCP mapping, s", `${idleTimeout.tcp}`, (text) => {
        const tcp = number(text, 0x7fffffff)
        return tcp === undefined ? undefined : { ...configuration, idleTimeout: { ...idleTimeout, tcp } }
      })}
      <Choice
        label="mapping (RFC 4787 section 4.1)"
        value={configuration.mapping}
        of={DEPENDENCES}
        onChoose={(mapping) => onSet({ ...configuration, mapping })}
      />
      <Choice
        label="filtering (RFC 4787 section 5)"
        value={configuration.filtering}
        of={DEPENDENCES}
        onChoose={(filtering) => onSet({ ...configuration, filtering })}
      />
      <Choice
        label="hairpinning"
        value={configuration.hairpinning ? "on" : "off"}
        of={["on", "off"]}
        onChoose={(text) => onSet({ ...configuration, hairpinning: text === "on" })}
      />
      <Choice
        label="NAT-PMP"
        value={configuration.natPmp ? "on" : "off"}
        of={["on", "off"]}
        onChoose={(text) => onSet({ ...configuration, natPmp: text === "on" })}
      />
      <Choice
        label="threat model (RFC 6887 section 18)"
        value={configuration.threatModel}
        of={["simple", "advanced"]}
        onChoose={(threatModel) => onSet({ ...configuration, threatModel })}
      />
      <Choice
        label="nonces"
        value={configuration.noncePolicy}
        of={["rfc", "strict", "off"]}
        onChoose={(noncePolicy) => onSet({ ...configuration, noncePolicy })}
      />
    </div>
  )
}

import { useLayoutEffect, useRef, useState } from "preact/hooks"
import { type Address, formatAddress, isIpv4, parseAddress } from "../../core/wire/index.ts"
import {
  build,
  type FormFault,
  type FormOption,
  OPTION_FORMS,
  PACKET_FORMS,
  type PacketFormName,
} from "../model/edit/index.ts"
import { CLIENTS, type DataPacket, type SessionStep, TCP_FLAGS, type TcpFlagName } from "../model/session/index.ts"
import { clockText } from "./clock.ts"
import type { Room } from "./room.ts"

const KINDS = ["MAP", "PEER", "ANNOUNCE", "NAT-PMP", "data", "host gone", "announce"] as const
type Kind = (typeof KINDS)[number]

const KIND_WORDS: Readonly<Record<Kind, string>> = {
  MAP: "a MAP request",
  PEER: "a PEER request",
  ANNOUNCE: "an ANNOUNCE request",
  "NAT-PMP": "a NAT-PMP mapping request",
  data: "a packet of data",
  "host gone": "a host goes: its mappings are deleted",
  announce: "the server announces itself",
}

const FORMS: Partial<Readonly<Record<Kind, PacketFormName>>> = {
  MAP: "map-request",
  PEER: "peer-request",
  ANNOUNCE: "announce-request",
  "NAT-PMP": "natpmp-map-request",
}

/** What the fields of the form begin with: a client of this kind of CGN, and a remote peer of its family. */
const begin = (room: Room): Readonly<Record<string, string>> => {
  const { configuration } = room.session.value ?? {}
  const client = configuration === undefined ? undefined : CLIENTS[configuration.kind]
  const ipv4 = client === undefined || isIpv4(client)
  const mapping = room.view.value?.mappings[0]?.mapping
  const text = client === undefined ? "10.0.0.1" : formatAddress(client)
  const outside = mapping === undefined || isIpv4(mapping.external) ? "198.51.100.7" : "2001:db8:99::7"
  return {
    client: text,
    external: ipv4 ? "0.0.0.0" : "::",
    remote: ipv4 ? "198.51.100.7" : "2001:db8:99::7",
    lifetime: "600",
    insideSource: `${text} 50123`,
    insideDestination: ipv4 ? "198.51.100.7 443" : "2001:db8:99::7 443",
    outsideSource: `${outside} 50000`,
    outsideDestination:
      mapping === undefined ? "203.0.113.1 41000" : `${formatAddress(mapping.external)} ${mapping.externalPort}`,
  }
}

const endOf = (text: string): { readonly address: Address; readonly port: number } | undefined => {
  const match = /^\s*\[?([\da-fA-F:.]+?)\]?(?:[\s,]+|\]?:(?=\d+\s*$))(\d{1,5})\s*$/.exec(text)
  const address = match === null ? parseAddress(text.trim()) : parseAddress(match[1])
  const port = match === null ? 0 : Number(match[2])
  return address === undefined || port > 65535 ? undefined : { address, port }
}

/** A form for one more step at the instant that is looked at: another future branches off there. */
export const AttemptForm = ({ room, onDone }: { readonly room: Room; readonly onDone: () => void }) => {
  const first = useRef<HTMLSelectElement>(null)
  useLayoutEffect(() => first.current?.focus(), [])
  const [kind, setKind] = useState<Kind>("data")
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({})
  const [side, setSide] = useState<"inside" | "outside">("outside")
  const [protocol, setProtocol] = useState<DataPacket["protocol"]>("tcp")
  const [flags, setFlags] = useState<readonly TcpFlagName[]>(["SYN"])
  const [then, setThen] = useState<"rest" | "nothing">("rest")
  const [options, setOptions] = useState<readonly FormOption[]>([])
  const [faults, setFaults] = useState<readonly FormFault[]>([])
  const initial = begin(room)
  const typedOr = (name: string, fallback = ""): string => typed[name] ?? initial[name] ?? fallback
  const type = (name: string, value: string): void => setTyped({ ...typed, [name]: value })
  const form = PACKET_FORMS.find(({ name }) => name === FORMS[kind])
  const [from, to] = side === "inside" ? ["insideSource", "insideDestination"] : ["outsideSource", "outsideDestination"]
  const faultOf = (name: string): string | undefined => faults.find(({ entry }) => entry === name)?.text

  const stepOf = (at: number): SessionStep | readonly FormFault[] => {
    if (kind === "announce") return { type: "announce", at }
    const client = parseAddress(typedOr("client").trim())
    if (client === undefined && kind !== "data") return [{ entry: "client", text: "an address is expected" }]
    if (kind === "host gone" && client !== undefined) return { type: "revoke", at, internal: client }
    if (form !== undefined && client !== undefined) {
      const values = Object.fromEntries(form.entries.map(({ name, value }) => [name, typedOr(name, value)]))
      const built = build(form.name, values, options)
      if (!built.ok) return built.faults
      return { type: "datagram", at, side: "inside", source: { address: client, port: 49152 }, bytes: built.bytes }
    }
    const [source, destination] = [endOf(typedOr(from)), endOf(typedOr(to))]
    const text = "an address and a port are expected, such as 198.51.100.7 443"
    if (source === undefined) return [{ entry: from, text }]
    if (destination === undefined) return [{ entry: to, text }]
    if (isIpv4(source.address) !== isIpv4(destination.address))
      return [{ entry: to, text: "both ends must be of one family, as the sender sees them" }]
    const b4 = side === "inside" && room.session.value?.configuration.kind === "dslite" ? CLIENTS.dslite : undefined
    const packet: DataPacket = { protocol, source, destination, flags: protocol === "tcp" ? flags : [], payload: 4 }
    return { type: "packet", at, side, packet: b4 === undefined ? packet : { ...packet, b4 } }
  }

  const send = (event: Event): void => {
    event.preventDefault()
    const step = stepOf(room.now.value)
    if (!("type" in step)) {
      setFaults(step)
      return
    }
    setFaults([])
    room.tryStep(step, then, `try ${room.branches.value.length}: ${kind === "data" ? `data from ${side}` : kind}`)
    onDone()
  }

  const field = (name: string, label: string, value: string) => (
    <Field key={name} label={label} value={value} fault={faultOf(name)} onType={(text) => type(name, text)} />
  )
  const client = form?.entries.some(({ name }) => name === "client") ?? false
  return (
    <form
      class="rv-attempt"
      aria-label="try a packet"
      onSubmit={send}
      onKeyDown={(event) => event.key === "Escape" && onDone()}
    >
      <div class="rv-fields">
        <label class="rv-field">
          <span>at {clockText(room.now.value)}, try</span>
          <select
            ref={first}
            value={kind}
            onChange={(event) => {
              const wanted = event.currentTarget.value
              setKind(KINDS.find((one) => one === wanted) ?? "MAP")
              setFaults([])
            }}
          >
            {KINDS.map((one) => (
              <option key={one} value={one}>
                {KIND_WORDS[one]}
              </option>
            ))}
          </select>
        </label>
        {kind === "data" ? (
          <>
            <Choice label="from" value={side} of={["inside", "outside"]} onChoose={setSide} />
            <Choice label="protocol" value={protocol} of={["udp", "tcp", "icmp"]} onChoose={setProtocol} />
            {field(from, "source", typedOr(from))}
            {field(to, "destination", typedOr(to))}
            {protocol === "tcp" ? (
              <fieldset class="rv-flags">
                <legend>flags</legend>
                {TCP_FLAGS.map((flag) => (
                  <label key={flag}>
                    <input
                      type="checkbox"
                      checked={flags.includes(flag)}
                      onChange={() =>
                        setFlags(flags.includes(flag) ? flags.filter((one) => one !== flag) : [...flags, flag])
                      }
                    />
                    {flag}
                  </label>
                ))}
              </fieldset>
            ) : null}
          </>
        ) : null}
        {(form !== undefined && !client) || kind === "host gone"
          ? field("client", kind === "host gone" ? "internal address" : "from the client", typedOr("client"))
          : null}
        {form?.entries.map(({ name, label, value }) => field(name, label, typedOr(name, value)))}
        <Choice
          label="and then"
          value={then}
          of={["rest", "nothing"]}
          words={{ rest: "what the session has next", nothing: "nothing more" }}
          onChoose={setThen}
        />
      </div>
      {form?.hasOptions === true ? <Options options={options} faults={faults} onSet={setOptions} /> : null}
      {faults
        .filter(({ entry }) => entry === "")
        .map(({ text }) => (
          <p key={text} class="rv-fault">
            {text}
          </p>
        ))}
      <div class="rv-actions">
        <button type="submit" class="rv-primary" disabled={room.progress.value !== undefined}>
          send it
        </button>
        <button type="button" class="rv-plain" onClick={onDone}>
          close
        </button>
      </div>
    </form>
  )
}

interface OptionsProps {
  readonly options: readonly FormOption[]
  readonly faults: readonly FormFault[]
  readonly onSet: (options: readonly FormOption[]) => void
}

/** Options of a PCP request, one group of fields each. */
const Options = ({ options, faults, onSet }: OptionsProps) => (
  <>
    {options.map(({ kind, values }, i) => (
      <fieldset key={`${i} ${kind}`} class="rv-option">
        <legend>{kind}</legend>
        <div class="rv-fields">
          {OPTION_FORMS.find((one) => one.kind === kind)?.entries.map(({ name, label, value }) => (
            <Field
              key={name}
              label={label}
              value={values[name] ?? value}
              fault={faults.find(({ entry }) => entry === `${i}.${name}`)?.text}
              onType={(text) => onSet(options.with(i, { kind, values: { ...values, [name]: text } }))}
            />
          ))}
          <button
            type="button"
            class="rv-plain"
            aria-label={`remove ${kind}`}
            onClick={() => onSet(options.toSpliced(i, 1))}
          >
            remove
          </button>
        </div>
      </fieldset>
    ))}
    <label class="rv-field rv-add">
      <span>add an option</span>
      <select
        value=""
        onChange={(event) => {
          const found = OPTION_FORMS.find(({ kind }) => kind === event.currentTarget.value)
          event.currentTarget.value = ""
          if (found !== undefined) onSet([...options, { kind: found.kind, values: {} }])
        }}
      >
        <option value="">choose…</option>
        {OPTION_FORMS.map(({ kind }) => (
          <option key={kind} value={kind}>
            {kind}
          </option>
        ))}
      </select>
    </label>
  </>
)

interface FieldProps {
  readonly label: string
  readonly value: string
  readonly fault: string | undefined
  readonly onType: (text: string) => void
}

/** A line to type in, with what is wrong with it below. */
export const Field = ({ label, value, fault, onType }: FieldProps) => (
  <label class="rv-field">
    <span>{label}</span>
    <input
      class="rv-mono"
      value={value}
      spellcheck={false}
      aria-invalid={fault !== undefined}
      onInput={(event) => onType(event.currentTarget.value)}
    />
    {fault === undefined ? null : <span class="rv-fault">{fault}</span>}
  </label>
)

interface ChoiceProps<T extends string> {
  readonly label: string
  readonly value: T
  readonly of: readonly T[]
  readonly words?: Partial<Readonly<Record<T, string>>>
  readonly onChoose: (value: T) => void
}

/** One of some words. */
export const Choice = <T extends string>({ label, value, of, words, onChoose }: ChoiceProps<T>) => (
  <label class="rv-field">
    <span>{label}</span>
    <select
      value={value}
      onChange={(event) => {
        const text = event.currentTarget.value
        const wanted = of.find((one) => one === text)
        if (wanted !== undefined) onChoose(wanted)
      }}
    >
      {of.map((one) => (
        <option key={one} value={one}>
          {words?.[one] ?? one}
        </option>
      ))}
    </select>
  </label>
)

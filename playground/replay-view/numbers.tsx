import { useState } from "preact/hooks"
import type { CgnKind } from "../../core/cgn/index.ts"
import { formatAddress, isIpv4, parseAddress } from "../../core/wire/index.ts"
import type { CgnConfiguration } from "../model/session/index.ts"
import { Choice, Field } from "./attempt.tsx"
import { addressesText, listOf, pairOf, prefixOf, prefixText } from "./prefix-text.ts"

const DEPENDENCES = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const
const POOLED: readonly CgnKind[] = ["nat444", "nat64", "dslite", "l2dslite"]
const LARGEST = 0x7fffffff

type Make = (text: string) => CgnConfiguration | undefined

interface NumbersProps {
  readonly configuration: CgnConfiguration
  readonly onSet: (next: CgnConfiguration) => void
}

const wholeUpTo = (text: string, most: number): number | undefined =>
  /^\d{1,10}$/.test(text.trim()) && Number(text) <= most ? Number(text) : undefined

/** Addresses, limits and times of a CGN: those that mean something to its kind. */
export const Numbers = ({ configuration, onSet }: NumbersProps) => {
  const [typed, setTyped] = useState<{ readonly name: string; readonly text: string } | undefined>(undefined)
  const entry = (name: string, label: string, value: string, make: Make) => {
    const text = typed?.name === name ? typed.text : value
    return (
      <Field
        key={name}
        label={label}
        value={text}
        fault={text !== value && make(text) === undefined ? "that cannot be read" : undefined}
        onType={(next) => {
          setTyped({ name, text: next })
          const made = make(next)
          if (made !== undefined) onSet(made)
        }}
      />
    )
  }
  const number = (
    name: "quota" | "subscriberQuota" | "filterLimit" | "minLifetime" | "maxLifetime",
    label: string,
    least = 0,
  ) =>
    entry(name, label, `${configuration[name]}`, (text) => {
      const value = wholeUpTo(text, LARGEST)
      return value === undefined || value < least ? undefined : { ...configuration, [name]: value }
    })
  const times = (of: "idleTimeout" | "recycleDelay", protocol: "udp" | "tcp", label: string) =>
    entry(`${of} ${protocol}`, label, `${configuration[of][protocol]}`, (text) => {
      const value = wholeUpTo(text, LARGEST)
      return value === undefined ? undefined : { ...configuration, [of]: { ...configuration[of], [protocol]: value } }
    })
  const { kind, ports, external, subscriberPrefix } = configuration
  const isPooled = POOLED.includes(kind)
  const isFirewall = kind === "firewall4" || kind === "firewall6"
  const bits = (family: "ipv4" | "ipv6", label: string, most: number) =>
    entry(`bits ${family}`, label, `${subscriberPrefix[family]}`, (text) => {
      const value = wholeUpTo(text, most)
      return value === undefined
        ? undefined
        : { ...configuration, subscriberPrefix: { ...subscriberPrefix, [family]: value } }
    })
  const onOff = (name: "hairpinning" | "natPmp" | "pcp", label: string) => (
    <Choice
      label={label}
      value={configuration[name] ? "on" : "off"}
      of={["on", "off"]}
      onChoose={(text) => onSet({ ...configuration, [name]: text === "on" })}
    />
  )
  return (
    <div class="rv-fields" onFocusOut={() => setTyped(undefined)}>
      <Addresses configuration={configuration} entry={entry} />
      {isPooled ? (
        <>
          {entry("external", "external IPv4 addresses", addressesText(external), (text) => {
            const read = listOf(text, parseAddress)
            return read === undefined || read.length === 0 || !read.every(isIpv4)
              ? undefined
              : { ...configuration, external: read }
          })}
          {entry("first", "first external port", `${ports.first}`, (text) => {
            const first = wholeUpTo(text, ports.last)
            return first === undefined ? undefined : { ...configuration, ports: { ...ports, first } }
          })}
          {entry("last", "last external port", `${ports.last}`, (text) => {
            const last = wholeUpTo(text, 65535)
            return last === undefined || last < ports.first
              ? undefined
              : { ...configuration, ports: { ...ports, last } }
          })}
        </>
      ) : null}
      {isPooled || isFirewall ? number("quota", "mappings of a host, 0 for any") : null}
      {isPooled ? (
        <>
          {number("subscriberQuota", "mappings of a subscriber, 0 for any")}
          {bits("ipv4", "bits of a subscriber's IPv4 prefix", 32)}
          {bits("ipv6", "bits of a subscriber's IPv6 prefix", 128)}
        </>
      ) : null}
      {number("minLifetime", "shortest lifetime, s")}
      {number("maxLifetime", "longest lifetime, s")}
      {isPooled || isFirewall ? (
        <>
          {number("filterLimit", "filters of a mapping", 1)}
          {times("idleTimeout", "udp", "idle UDP mapping, s")}
        </>
      ) : null}
      {isPooled ? (
        <>
          {times("idleTimeout", "tcp", "idle TCP mapping, s")}
          {times("recycleDelay", "udp", "a freed UDP port is held, s")}
          {times("recycleDelay", "tcp", "a freed TCP port is held, s")}
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
          {onOff("hairpinning", "hairpinning (RFC 4787 REQ-9)")}
        </>
      ) : null}
      {onOff("pcp", "PCP")}
      {onOff("natPmp", "NAT-PMP")}
      <Choice
        label="threat model (RFC 6887 section 18)"
        value={configuration.threatModel}
        of={["simple", "advanced"]}
        onChoose={(threatModel) => onSet({ ...configuration, threatModel })}
      />
      {isPooled ? (
        <Choice
          label="nonces"
          value={configuration.noncePolicy}
          of={["rfc", "strict", "off"]}
          onChoose={(noncePolicy) => onSet({ ...configuration, noncePolicy })}
        />
      ) : null}
    </div>
  )
}

interface AddressesProps {
  readonly configuration: CgnConfiguration
  readonly entry: (name: string, label: string, value: string, make: Make) => preact.JSX.Element
}

/** Where the networks of a kind are, besides a pool. */
const Addresses = ({ configuration, entry }: AddressesProps) => {
  const { kind, aftr, prefix64, prefixPairs, addressPairs, inside } = configuration
  switch (kind) {
    case "dslite":
      return entry("aftr", "the AFTR's end of the softwires", formatAddress(aftr), (text) => {
        const read = parseAddress(text.trim())
        return read === undefined || isIpv4(read) ? undefined : { ...configuration, aftr: read }
      })
    case "nat64":
    case "nat46":
      return (
        <>
          {entry("prefix64", "the prefix that IPv4 is behind", prefixText(prefix64), (text) => {
            const read = prefixOf(text.trim())
            return read === undefined || isIpv4(read.address) ? undefined : { ...configuration, prefix64: read }
          })}
          {kind === "nat64"
            ? null
            : entry(
                "addressPairs",
                "hosts, IPv4=IPv6",
                addressPairs.map(({ ipv4, ipv6 }) => `${formatAddress(ipv4)}=${formatAddress(ipv6)}`).join(", "),
                (text) => {
                  const read = listOf(text, (part) => pairOf(part, parseAddress))
                  return read && { ...configuration, addressPairs: read.map(([ipv4, ipv6]) => ({ ipv4, ipv6 })) }
                },
              )}
        </>
      )
    case "nptv6":
      return entry(
        "prefixPairs",
        "prefixes, inside=outside",
        prefixPairs.map(({ internal, external }) => `${prefixText(internal)}=${prefixText(external)}`).join(", "),
        (text) => {
          const read = listOf(text, (part) => pairOf(part, prefixOf))
          return read && { ...configuration, prefixPairs: read.map(([internal, external]) => ({ internal, external })) }
        },
      )
    case "firewall4":
    case "firewall6":
      return entry("inside", "prefixes inside, none for any", inside.map(prefixText).join(", "), (text) => {
        const read = listOf(text, prefixOf)
        return read && { ...configuration, inside: read }
      })
    default:
      return null
  }
}

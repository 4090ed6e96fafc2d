import { useEffect, useRef, useState } from "preact/hooks"
import { formatAddress, isIpv4, protocolName } from "../../core/wire/index.ts"
import { endText, type MappingRow, type View } from "../model/replay/index.ts"
import { leftText } from "./clock.ts"
import { useGlow } from "./glow.ts"

/** Rows that are drawn; typing narrows them down. */
const MOST = 200

/** The mapping table, its lifetimes running down. */
export const Mappings = ({ view, isSmall = false }: { readonly view: View; readonly isSmall?: boolean }) => {
  const [wanted, setWanted] = useState("")
  const seen = useRef<ReadonlySet<string> | undefined>(undefined)
  const before = seen.current
  const needle = wanted.trim().toLowerCase()
  const rows = needle === "" ? view.mappings : view.mappings.filter(({ text }) => text.toLowerCase().includes(needle))
  const drawn = rows.slice(0, MOST)
  useEffect(() => {
    seen.current = new Set(drawn.map(({ key }) => key))
  })
  if (view.mappings.length === 0) return <p class="rv-quiet">none at this instant</p>
  return (
    <>
      {view.mappings.length > 12 && !isSmall ? (
        <input
          class="rv-narrow rv-mono"
          value={wanted}
          placeholder="address, port or protocol"
          aria-label="show only mappings with"
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
      ) : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section class="rv-scroll" tabIndex={0} aria-label="table of mappings">
        <table class="rv-table">
          <thead>
            <tr>
              <th scope="col">internal → external</th>
              <th scope="col">proto</th>
              <th scope="col">by</th>
              <th scope="col">left</th>
              <th scope="col">filter</th>
            </tr>
          </thead>
          <tbody>
            {drawn.map((row) => (
              <Row key={row.key} row={row} isNew={before !== undefined && !before.has(row.key)} />
            ))}
          </tbody>
        </table>
      </section>
      {rows.length > MOST ? (
        <p class="rv-quiet">
          {rows.length - MOST} more{view.more ? ", and others beyond" : ""}: type a part of an address to find them
        </p>
      ) : null}
    </>
  )
}

const WORDS = { map: "MAP", peer: "PEER", implicit: "traffic", static: "static" } as const

const Row = ({ row, isNew }: { readonly row: MappingRow; readonly isNew: boolean }) => {
  const { mapping, left, fraction, filters } = row
  const { internal, internalPort, external, externalPort, remote, remotePort, expires, kind, protocol, realm } = mapping
  const stamp = [external, externalPort, Math.round(expires), filters.length].join("|")
  const ref = useGlow<HTMLTableRowElement>(stamp, isNew)
  const by = mapping.origin === "nat-pmp" ? "NAT-PMP" : WORDS[kind]
  return (
    <tr ref={ref}>
      <td class="rv-mono">
        {realm === undefined ? null : <span class="rv-quiet">{formatAddress(realm)} · </span>}
        <span class="rv-t" data-class="address">
          {formatAddress(internal)}
        </span>
        <span class="rv-t" data-class="port">
          {portText(internalPort)}
        </span>{" "}
        →{" "}
        <span class="rv-t" data-class="address">
          {formatAddress(external)}
        </span>
        <span class="rv-t" data-class="port">
          {portText(externalPort)}
        </span>
        {remote === undefined ? null : <span class="rv-quiet"> for {endText(remote, remotePort)}</span>}
      </td>
      <td>{protocolName(protocol)}</td>
      <td>{by}</td>
      <td class="rv-left">
        <span class="rv-mono">{leftText(left)}</span>
        <span class="rv-bar" aria-hidden="true">
          <i style={{ width: `${100 * fraction}%` }} />
        </span>
      </td>
      <td class="rv-mono">
        {filters.length === 0 ? (
          <span class="rv-quiet">any</span>
        ) : (
          filters.map(({ remote: peer, prefixLength, remotePort: port }) => (
            <div key={`${peer}${prefixLength}${port}`}>
              {formatAddress(peer)}/{isIpv4(peer) && prefixLength >= 96 ? prefixLength - 96 : prefixLength}
              {port === 0 ? "" : ` port ${port}`}
            </div>
          ))
        )}
      </td>
    </tr>
  )
}

const portText = (port: number): string => (port === 0 ? " all ports" : `:${port}`)

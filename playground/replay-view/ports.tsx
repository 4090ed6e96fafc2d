import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import { type Address, formatAddress, protocolName } from "../../core/wire/index.ts"
import {
  drawPorts,
  endText,
  externalAddresses,
  type PortPicture,
  type Replay,
  type View,
} from "../model/replay/index.ts"

/** Pixels of a port's cell. */
const CELL = 2
const SIZE = 256
/** Up to so many ports each is drawn larger than it is: one of 65536 is not to be found otherwise. */
const FEW = 600

/** Colours of owners, told apart by those who see fewer colours too, in both themes; the eighth host has the first again. */
const OWNERS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7a5195"] as const
const OTHER = "#8c8c8c"

const orders = new WeakMap<Replay, ReadonlyMap<Address, number>>()

/** Hosts in the order in which the session first gives them a mapping: one has the same colour at every instant. */
const orderOf = (replay: Replay): ReadonlyMap<Address, number> => {
  const known = orders.get(replay)
  if (known !== undefined) return known
  const order = new Map<Address, number>()
  for (const { changes } of replay.moments)
    for (const change of changes)
      if (change.type === "created" && !order.has(change.mapping.internal))
        order.set(change.mapping.internal, order.size)
  orders.set(replay, order)
  return order
}

/** Of an owner that no change told of, as a static mapping's, and of those who share a number: grey. */
const colourOf = (order: ReadonlyMap<Address, number>, owner: Address | undefined): string => {
  const place = owner === undefined ? undefined : order.get(owner)
  return place === undefined ? OTHER : OWNERS[place % OWNERS.length]
}

/** External ports in use: a picture of 256 by 256 for each address, colour by owner. */
export const Ports = ({ replay, view }: { readonly replay: Replay; readonly view: View }) => {
  const order = orderOf(replay)
  const [wanted, setWanted] = useState<Address | undefined>(undefined)
  const [protocol, setProtocol] = useState<number | undefined>(undefined)
  const mappings = useMemo(() => view.mappings.map(({ mapping }) => mapping), [view])
  const addresses = useMemo(() => externalAddresses(mappings), [mappings])
  const external = addresses.find((one) => one === wanted) ?? addresses[0]
  const picture = useMemo(
    () => (external === undefined ? undefined : drawPorts(mappings, external, protocol)),
    [mappings, external, protocol],
  )
  const [port, setPort] = useState<number | undefined>(undefined)
  if (external === undefined || picture === undefined) return <p class="rv-quiet">no external port is in use</p>
  const here =
    port === undefined ? [] : mappings.filter((one) => one.external === external && one.externalPort === port)
  return (
    <div class="rv-ports">
      <Picture picture={picture} order={order} onPoint={setPort} />
      <div class="rv-ports-words">
        <div class="rv-row-of-controls">
          <select
            aria-label="external address"
            class="rv-mono"
            value={external}
            onChange={(event) => setWanted(addresses.find((one) => one === event.currentTarget.value))}
          >
            {addresses.slice(0, 100).map((one) => (
              <option key={one} value={one}>
                {formatAddress(one)}
              </option>
            ))}
          </select>
          <select
            aria-label="protocol of the ports"
            value={`${protocol ?? "any"}`}
            onChange={(event) =>
              setProtocol(event.currentTarget.value === "any" ? undefined : Number(event.currentTarget.value))
            }
          >
            <option value="any">any protocol</option>
            <option value="6">TCP</option>
            <option value="17">UDP</option>
          </select>
        </div>
        <p>
          <span class="rv-mono">{picture.used}</span> of 65536 in use
        </p>
        <ul class="rv-owners">
          {picture.owners.slice(0, 8).map((owner, i) => (
            <li key={owner}>
              <svg width="10" height="10" aria-hidden="true">
                <rect width="10" height="10" fill={colourOf(order, owner)} />
              </svg>
              <span class="rv-mono">{formatAddress(owner)}</span>{" "}
              <span class="rv-quiet rv-mono">{portsOf(picture, i + 1)}</span>
            </li>
          ))}
          {picture.owners.length > 8 ? <li class="rv-quiet">and {picture.owners.length - 8} more</li> : null}
        </ul>
        <p class="rv-hover rv-mono" aria-live="off">
          {port === undefined
            ? ""
            : here.length > 0
              ? here
                  .map((one) => `${port}: ${protocolName(one.protocol)} ${endText(one.internal, one.internalPort)}`)
                  .join(", ")
              : `${port}: ${picture.cells[port] === 0 ? "free" : "in use"}`}
        </p>
      </div>
    </div>
  )
}

/** `41000, 50123`; of many, how many. */
const portsOf = ({ cells, used }: PortPicture, owner: number): string => {
  if (used > 40) return `${cells.reduce((sum, cell) => sum + (cell === owner ? 1 : 0), 0)} ports`
  const own: number[] = []
  for (let port = 0; port < cells.length; port++) if (cells[port] === owner) own.push(port)
  return own.join(", ")
}

interface PictureProps {
  readonly picture: PortPicture
  readonly order: ReadonlyMap<Address, number>
  readonly onPoint: (port?: number) => void
}

const Picture = ({ picture, order, onPoint }: PictureProps) => {
  const ref = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const context = ref.current?.getContext("2d")
    if (context === undefined || context === null) return
    context.clearRect(0, 0, SIZE * CELL, SIZE * CELL)
    const colours = picture.owners.map((owner) => colourOf(order, owner))
    const spread = picture.used <= FEW ? 2 : 0
    for (let port = 0; port < picture.cells.length; port++) {
      const owner = picture.cells[port]
      if (owner === 0) continue
      context.fillStyle = colours[owner - 1] ?? OTHER
      const [x, y] = [(port & 255) * CELL, (port >>> 8) * CELL]
      context.fillRect(x - spread * CELL, y - spread * CELL, (2 * spread + 1) * CELL, (2 * spread + 1) * CELL)
    }
  }, [picture, order])
  const portAt = (event: PointerEvent): number | undefined => {
    const box = ref.current?.getBoundingClientRect()
    if (box === undefined) return undefined
    const [x, y] = [event.clientX - box.left, event.clientY - box.top].map((one) =>
      Math.floor((one / box.width) * SIZE),
    )
    if (x < 0 || y < 0 || x >= SIZE || y >= SIZE) return undefined
    return nearest(picture, x, y)
  }
  const text = `external ports of ${formatAddress(picture.external)}: ${picture.used} of 65536 in use, by ${picture.owners.length} hosts; port 0 top left, 65535 bottom right`
  return (
    <canvas
      ref={ref}
      class="rv-picture"
      width={SIZE * CELL}
      height={SIZE * CELL}
      role="img"
      aria-label={text}
      onPointerMove={(event) => onPoint(portAt(event))}
      onPointerLeave={() => onPoint(undefined)}
    />
  )
}

/** The port under the pointer; where marks are larger than ports, that of the mark. */
const nearest = ({ cells, used }: PortPicture, x: number, y: number): number => {
  const own = y * SIZE + x
  if (cells[own] !== 0 || used > FEW) return own
  for (let distance = 1; distance <= 2; distance++)
    for (let dy = -distance; dy <= distance; dy++)
      for (let dx = -distance; dx <= distance; dx++) {
        const [px, py] = [x + dx, y + dy]
        if (px < 0 || py < 0 || px >= SIZE || py >= SIZE) continue
        if (cells[py * SIZE + px] !== 0) return py * SIZE + px
      }
  return own
}

import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import { type Address, formatAddress, protocolName } from "../../core/wire/index.ts"
import {
  drawPorts,
  endText,
  externalAddresses,
  type HeldEnd,
  hostOrder,
  type PortPicture,
  type Story,
  type View,
} from "../model/replay/index.ts"
import { leftText } from "./clock.ts"

/** Pixels of a port's cell. */
const CELL = 2
const SIZE = 256
/** Up to so many ports each is drawn larger than it is: one of 65536 is not to be found otherwise. */
const FEW = 600

/** Colours of owners, told apart by those who see fewer colours too, in both themes; the eighth host has the first again. */
const OWNERS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7a5195"] as const
const OTHER = "#8c8c8c"

/** Of an owner that no change told of, as a static mapping's, and of those who share a number: grey. */
const colourOf = (order: ReadonlyMap<Address, number>, owner: Address | undefined): string => {
  const place = owner === undefined ? undefined : order.get(owner)
  return place === undefined ? OTHER : OWNERS[place % OWNERS.length]
}

/** External ports in use: a picture of 256 by 256 for each address, colour by owner. */
export const Ports = ({ replay, view }: { readonly replay: Story; readonly view: View }) => {
  const order = hostOrder(replay)
  const [wanted, setWanted] = useState<Address | undefined>(undefined)
  const [protocol, setProtocol] = useState<number | undefined>(undefined)
  const mappings = useMemo(() => view.mappings.map(({ mapping }) => mapping), [view])
  const addresses = useMemo(() => {
    const waiting = (view.held ?? []).map(({ external: one }) => one)
    return [...new Set([...externalAddresses(mappings), ...waiting])]
  }, [mappings, view])
  const external = addresses.find((one) => one === wanted) ?? addresses[0]
  const picture = useMemo(
    () => (external === undefined ? undefined : drawPorts(mappings, external, protocol)),
    [mappings, external, protocol],
  )
  const held = useMemo(
    () =>
      (view.held ?? []).filter(
        (one) => one.external === external && (protocol === undefined || one.protocol === protocol),
      ),
    [view, external, protocol],
  )
  const [port, setPort] = useState<number | undefined>(undefined)
  if (external === undefined || picture === undefined) return <p class="rv-quiet">no external port is in use</p>
  const textOf = (one: number): string => {
    const own = mappings.filter((each) => each.external === external && each.externalPort === one)
    const waiting = held.filter(({ externalPort }) => externalPort === one)
    const words = [
      ...own.map((each) => `${protocolName(each.protocol)} ${endText(each.internal, each.internalPort)}`),
      ...waiting.map((each) => `${protocolName(each.protocol)} ${heldText(each, view.at)}`),
    ]
    return `${one}: ${words.length > 0 ? words.join(", ") : picture.cells[one] === 0 ? "free" : "in use"}`
  }
  return (
    <div class="rv-ports">
      <Picture picture={picture} order={order} held={held} port={port} textOf={textOf} onPoint={setPort} />
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
          {held.length === 0 ? null : (
            <li>
              <svg width="10" height="10" aria-hidden="true">
                <rect class="rv-held" x="1" y="1" width="8" height="8" />
              </svg>
              <span class="rv-mono">{held.length}</span> held for their former owners{" "}
              <span class="rv-quiet rv-mono">{heldPorts(held)}</span>
            </li>
          )}
          {picture.owners.length > 8 ? <li class="rv-quiet">and {picture.owners.length - 8} more</li> : null}
        </ul>
        <p class="rv-hover rv-mono" aria-live="off">
          {port === undefined ? "" : textOf(port)}
        </p>
      </div>
    </div>
  )
}

/** `41000, 50123`; of many, how many. */
const portsOf = ({ cells, used }: PortPicture, owner: number): string => {
  if (used > 40) return `${cells.reduce((sum, cell) => sum + (cell === owner ? 1 : 0), 0)} ports`
  return portsInUse({ cells })
    .filter((port) => cells[port] === owner)
    .join(", ")
}

const heldText = ({ internal, until }: HeldEnd, at: number): string =>
  `held for ${formatAddress(internal)}, ${leftText((until - at) / 1000)} more`

const heldPorts = (held: readonly HeldEnd[]): string =>
  held.length > 8 ? "" : held.map(({ externalPort }) => externalPort).join(", ")

interface PictureProps {
  readonly picture: PortPicture
  readonly order: ReadonlyMap<Address, number>
  readonly held: readonly HeldEnd[]
  /** The port that is pointed at. */
  readonly port: number | undefined
  readonly textOf: (port: number) => string
  readonly onPoint: (port?: number) => void
}

/** Where a key goes from a port, among those that are in use or held. */
const stepTo = (key: string, from: number, taken: readonly number[]): number | undefined => {
  switch (key) {
    case "ArrowRight":
    case "ArrowDown":
      return taken.find((one) => one > from) ?? from
    case "ArrowLeft":
    case "ArrowUp":
      return taken.findLast((one) => one < from) ?? from
    case "Home":
      return taken[0]
    case "End":
      return taken.at(-1)
    default:
      return undefined
  }
}

const Picture = ({ picture, order, held, port, textOf, onPoint }: PictureProps) => {
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
    // What is held is nobody's: a hollow square.
    context.strokeStyle = getComputedStyle(context.canvas).color
    for (const { externalPort } of held)
      context.strokeRect((externalPort & 255) * CELL - 3.5, (externalPort >>> 8) * CELL - 3.5, 8, 8)
    if (port === undefined) return
    const [x, y] = [(port & 255) * CELL, (port >>> 8) * CELL]
    context.lineWidth = 2
    context.strokeRect(x - 8, y - 8, 17, 17)
    context.lineWidth = 1
  }, [picture, order, held, port])
  const portAt = (event: PointerEvent): number | undefined => {
    const box = ref.current?.getBoundingClientRect()
    if (box === undefined) return undefined
    const [x, y] = [event.clientX - box.left, event.clientY - box.top].map((one) =>
      Math.floor((one / box.width) * SIZE),
    )
    if (x < 0 || y < 0 || x >= SIZE || y >= SIZE) return undefined
    return nearest(picture, held, x, y)
  }
  const step = (event: KeyboardEvent): void => {
    const taken = [...new Set([...held.map(({ externalPort }) => externalPort), ...portsInUse(picture)])]
    const next = stepTo(
      event.key,
      port ?? -1,
      taken.sort((one, other) => one - other),
    )
    if (next === undefined) return
    event.preventDefault()
    onPoint(next)
  }
  const words = `${picture.used} of 65536 in use, by ${picture.owners.length} hosts`
  return (
    <canvas
      ref={ref}
      class="rv-picture"
      width={SIZE * CELL}
      height={SIZE * CELL}
      role="slider"
      tabIndex={0}
      aria-label={`external ports of ${formatAddress(picture.external)}: ${words}; arrows go from one in use to the next`}
      aria-valuemin={0}
      aria-valuemax={65535}
      aria-valuenow={port ?? 0}
      aria-valuetext={port === undefined ? "none chosen" : textOf(port)}
      onKeyDown={step}
      onBlur={() => onPoint(undefined)}
      onPointerMove={(event) => onPoint(portAt(event))}
      onPointerLeave={() => onPoint(undefined)}
    />
  )
}

const portsInUse = ({ cells }: Pick<PortPicture, "cells">): readonly number[] => {
  const own: number[] = []
  for (let port = 0; port < cells.length; port++) if (cells[port] !== 0) own.push(port)
  return own
}

/** The port under the pointer; where marks are larger than ports, that of the mark. */
const nearest = ({ cells, used }: PortPicture, held: readonly HeldEnd[], x: number, y: number): number => {
  const isTaken = (port: number): boolean => cells[port] !== 0 || held.some(({ externalPort }) => externalPort === port)
  const own = y * SIZE + x
  if (isTaken(own) || used > FEW) return own
  for (let distance = 1; distance <= 2; distance++)
    for (let dy = -distance; dy <= distance; dy++)
      for (let dx = -distance; dx <= distance; dx++) {
        const [px, py] = [x + dx, y + dy]
        if (px < 0 || py < 0 || px >= SIZE || py >= SIZE) continue
        if (isTaken(py * SIZE + px)) return py * SIZE + px
      }
  return own
}

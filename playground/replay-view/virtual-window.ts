import type { RefObject } from "preact"
import { useLayoutEffect, useRef, useState } from "preact/hooks"

/** Rows drawn beyond those in sight. */
const SPARE = 8

export interface VirtualWindow {
  readonly ref: RefObject<HTMLDivElement | null>
  readonly width: number
  /** The first row that is drawn, and the one after the last. */
  readonly first: number
  readonly last: number
  readonly onScroll: (event: { readonly currentTarget: HTMLElement }) => void
}

/** Of many rows of one height those in sight; it scrolls so that the row `watched` is in sight, whenever that is another one. */
export const useVirtualWindow = (count: number, height: number, watched: number): VirtualWindow => {
  const ref = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ width: 700, height: 500 })
  const [top, setTop] = useState(0)
  useLayoutEffect(() => {
    const element = ref.current
    if (element === null) return
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useLayoutEffect(() => {
    const element = ref.current
    if (element === null) return
    const y = watched * height
    if (y - 2 * height < element.scrollTop || y + height > element.scrollTop + element.clientHeight)
      element.scrollTop = Math.max(0, y - element.clientHeight / 2)
  }, [watched, height])
  return {
    ref,
    width: size.width,
    first: Math.max(0, Math.floor(top / height) - SPARE),
    last: Math.min(count, Math.ceil((top + size.height) / height) + SPARE),
    onScroll: (event) => setTop(event.currentTarget.scrollTop),
  }
}

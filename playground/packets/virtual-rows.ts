import { signal } from "@preact/signals"
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core"
import { useEffect, useMemo, useRef } from "preact/hooks"

/** Rows of one height of which only those in sight are made, however many there are. */
export const useVirtualRows = (count: number, height: number) => {
  const scroller = useRef<HTMLDivElement>(null)
  const turned = useMemo(() => signal(0), [])
  // Whoever reads the rows is drawn again when others are in sight.
  turned.value
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 8,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => {
      turned.value = turned.peek() + 1
    },
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: made once, and given new options below
  const virtualizer = useMemo(() => new Virtualizer<HTMLDivElement, HTMLDivElement>(options), [])
  virtualizer.setOptions(options)
  useEffect(() => virtualizer._didMount(), [virtualizer])
  useEffect(() => virtualizer._willUpdate())
  return { scroller, virtualizer }
}

import { useLayoutEffect, useRef } from "preact/hooks"

const GLOW = 1200

const isStill = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches

/**
 * Lets an element glow once when `stamp` is another than it was, or at once where it `isNew`; never where motion is to be reduced.
 */
export const useGlow = <E extends HTMLElement>(stamp: string, isNew = false) => {
  const ref = useRef<E>(null)
  const last = useRef(isNew ? undefined : stamp)
  useLayoutEffect(() => {
    if (last.current === stamp) return
    last.current = stamp
    const element = ref.current
    if (element === null || isStill()) return
    const tint = getComputedStyle(element).getPropertyValue("--glow").trim() || "transparent"
    element.animate([{ backgroundColor: tint }, { backgroundColor: "transparent" }], {
      duration: GLOW,
      easing: "ease-out",
    })
  })
  return ref
}

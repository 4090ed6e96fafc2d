import { useEffect } from "preact/hooks"
import type { Room } from "./room.ts"
import { togglePlay } from "./transport.tsx"

const MOVES: Readonly<Record<string, "start" | "back" | "forth" | "end">> = {
  Home: "start",
  ArrowLeft: "back",
  ArrowRight: "forth",
  End: "end",
}

/** Elements that have their own use for a key. */
const TYPING = "input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]"
const PRESSED = "button, a, summary, input[type=checkbox], [role=tab]"

/** Space plays, arrows step, Home and End go to the ends; but not where something else has the key. */
export const useKeys = (room: Room): void => {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      const { target, key } = event
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return
      if (target instanceof Element && target.closest(TYPING) !== null) return
      // A slider that is not the session's own is moved by arrows as sliders are.
      if (target instanceof Element && target.matches("input[type=range]") && target.closest(".rv-scrub") === null)
        return
      if (key === " ") {
        if (target instanceof Element && target.closest(PRESSED) !== null) return
        event.preventDefault()
        togglePlay(room)
        return
      }
      const move = MOVES[key]
      if (move === undefined) return
      event.preventDefault()
      room.move(move)
    }
    document.addEventListener("keydown", listen)
    return () => document.removeEventListener("keydown", listen)
  }, [room])
}

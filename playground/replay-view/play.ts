import { useEffect } from "preact/hooks"
import type { Room } from "./room.ts"

/** While it plays, the instant moves on with the frames of the page: milliseconds of the session for milliseconds, times the speed. */
export const usePlay = (room: Room): void => {
  const playing = room.playing.value
  useEffect(() => {
    if (!playing) return
    let last = performance.now()
    let frame = 0
    const turn = (clock: number): void => {
      if (!room.playing.peek()) return
      const end = room.replay.peek()?.end ?? 0
      // A page that was hidden goes on from where it stood.
      room.goTo(room.now.peek() + Math.min(250, Math.max(0, clock - last)) * room.speed.peek())
      last = clock
      if (room.now.peek() >= end) room.playing.value = false
      else frame = requestAnimationFrame(turn)
    }
    frame = requestAnimationFrame(turn)
    return () => cancelAnimationFrame(frame)
  }, [playing, room])
}

import { useEffect } from "preact/hooks"
import type { Room } from "./room.ts"

/** Could this be a session? A capture or a packet is for the page around. */
const isJson = (text: string): boolean => /^\s*\{/.test(text)
const isSessionFile = ({ name, type }: File): boolean => /\.json$/i.test(name) || type === "application/json"

/**
 * Takes sessions that are pasted or dropped anywhere on the page while Replay is open, and says what is wrong with those that are none.
 * It listens before the page does, which takes anything else.
 */
export const useIntake = (room: Room): void => {
  useEffect(() => {
    const take = (event: Event): void => {
      event.preventDefault()
      event.stopPropagation()
    }
    const paste = (event: ClipboardEvent): void => {
      const { target, clipboardData } = event
      if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || clipboardData === null) return
      const [file] = clipboardData.files
      const text = clipboardData.getData("text/plain")
      if (file !== undefined && isSessionFile(file)) void room.openFile(file)
      else if (file === undefined && isJson(text)) room.openText(text)
      else return
      take(event)
    }
    const over = (event: DragEvent): void => event.preventDefault()
    const drop = (event: DragEvent): void => {
      const { target, dataTransfer } = event
      const [file] = dataTransfer?.files ?? []
      const text = dataTransfer?.getData("text/plain") ?? ""
      if (file !== undefined && isSessionFile(file)) void room.openFile(file)
      else if (file === undefined && isJson(text) && !(target instanceof HTMLTextAreaElement)) room.openText(text)
      else return
      take(event)
      // The page around marks itself while something is dragged over it: for it the drag has left.
      document.dispatchEvent(new DragEvent("dragleave"))
    }
    document.addEventListener("paste", paste, true)
    document.addEventListener("dragover", over, true)
    document.addEventListener("drop", drop, true)
    return () => {
      document.removeEventListener("paste", paste, true)
      document.removeEventListener("dragover", over, true)
      document.removeEventListener("drop", drop, true)
    }
  }, [room])
}

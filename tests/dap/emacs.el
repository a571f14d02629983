;;; emacs.el --- a session of dape, without a screen  -*- lexical-binding: t -*-
;; SPDX-License-Identifier: Apache-2.0
;; What it saw, as JSON.  DAPE_CONFIG names a file with dape's configurations,
;; DAPE_NAME the one that is taken.
(require 'dape)
(require 'json)
(load (getenv "DAPE_CONFIG") nil t)

(defvar seen nil)

(defun note (name value)
  (push (cons name (or value :null)) seen))

(defun until (condition)
  "Wait for CONDITION, which is told; 20 seconds at most."
  (let ((end (+ (float-time) 20)) told)
    (while (and (not (setq told (funcall condition))) (< (float-time) end))
      (accept-process-output nil 0.05))
    told))

(defun shown-in (name)
  (if (get-buffer name)
      (with-current-buffer name
        (buffer-substring-no-properties (point-min) (point-max)))
    ""))

(defun shows (name text)
  "Whether the buffer NAME has TEXT, now or soon."
  (and (until (lambda () (string-search text (shown-in name)))) t))

(defun answer (conn command arguments)
  "What CONN says to COMMAND, or an error in words."
  (let (told)
    (dape-request conn command arguments
                  (lambda (body error) (setq told (list body error))))
    (until (lambda () told))
    (if (cadr told) (list :error (cadr told)) (car told))))

(defun body-of (conn command key arguments)
  "The list that CONN's answer to COMMAND has at KEY."
  (append (plist-get (answer conn command arguments) key) nil))

(defun look-at-frame (conn frame)
  (note 'name (plist-get frame :name))
  (note 'line (plist-get frame :line))
  (note 'path (plist-get (plist-get frame :source) :path))
  (note 'threads (length (dape--threads conn)))
  (let* ((scopes (body-of conn :scopes :scopes
                          (list :frameId (plist-get frame :id))))
         (arguments (body-of conn :variables :variables
                             (list :variablesReference
                                   (plist-get (car scopes)
                                              :variablesReference)))))
    (note 'scopes (mapcar (lambda (s) (plist-get s :name)) scopes))
    (note 'arguments (mapcar (lambda (v) (plist-get v :name)) arguments))
    (plist-get (car arguments) :memoryReference)))

(defun type-in-repl (text)
  (with-current-buffer "*dape-repl*"
    (goto-char (point-max))
    (insert text)
    (comint-send-input)))

(defun look (conn)
  (let* ((frame (dape--current-stack-frame conn))
         (address (look-at-frame conn frame)))
    (type-in-repl "n->next->name")
    (note 'evaluated (shows "*dape-repl*" "\"last\\000"))
    (dape-next conn)
    (note 'refused (shows "*Messages*" "snapshot of the past"))
    (dape-disassemble (plist-get frame :instructionPointerReference) t)
    (note 'code (shows "*dape-disassemble*" "(%rax)"))
    (dape-memory address)
    (note 'memory (seq-some (lambda (buffer)
                              (let ((name (buffer-name buffer)))
                                (and (string-prefix-p "*dape-memory*" name)
                                     (shows name "first"))))
                            (buffer-list)))))

(defun go ()
  (dape (dape--config-eval (intern (getenv "DAPE_NAME")) nil))
  (let ((conn (until (lambda () (let ((c (dape--live-connection 'stopped t)))
                                  (and c (dape--current-stack-frame c) c))))))
    (if conn (look conn) (note 'why "nothing stopped"))
    (note 'repl (shown-in "*dape-repl*"))))

(condition-case problem (go)
  (error (note 'why (format "%S" problem))))
(note 'messages (shown-in "*Messages*"))
(with-temp-file (getenv "DAPE_RESULT") (insert (json-encode seen)))
(kill-emacs 0)

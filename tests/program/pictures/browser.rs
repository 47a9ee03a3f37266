//! A browser without a window, driven through its debugging pipe: requests and answers as JSON, each ended by a NUL.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// The program; `tests/tools.sh --test` installs it.
const PROGRAM: &str = "chromium-headless-shell";

/// A browser with one page.
pub struct Browser {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
    session: Option<String>,
    next: u64,
}

impl Browser {
    /// Opens a file in a window of 1280 by 900.
    pub fn open(file: &Path, dark: bool) -> Self {
        let folder = file.with_extension("profile");
        // It has its pipe at the descriptors 3 and 4. As root it has no sandbox of its own.
        let script = format!(
            "exec {PROGRAM} --no-sandbox --disable-gpu --disable-dev-shm-usage --remote-debugging-pipe --window-size=1280,900 --blink-settings=preferredColorScheme={} --user-data-dir=\"$0\" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null",
            u8::from(!dark)
        );
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (requests, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut browser = Self { child, requests, answers, folder, session: None, next: 0 };
        let target = browser.ask("Target.createTarget", json!({ "url": format!("file://{}", file.display()) }));
        let session = browser.ask("Target.attachToTarget", json!({ "targetId": target["targetId"], "flatten": true }));
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        browser.until("location.protocol === 'file:' && document.readyState === 'complete'");
        browser
    }

    /// Asks, and waits for the answer; what the browser says besides is passed over.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut request = json!({ "id": self.next, "method": method, "params": params });
        if let Some(session) = &self.session {
            request["sessionId"] = json!(session);
        }
        let mut bytes = request.to_string().into_bytes();
        bytes.push(0);
        let missing = "no answer from the browser: is chromium-headless-shell installed (tests/tools.sh --test)?";
        self.requests.write_all(&bytes).and_then(|()| self.requests.flush()).expect(missing);
        loop {
            let mut answer = Vec::new();
            let read = self.answers.read_until(0, &mut answer).unwrap();
            assert!(read > 0, "{method}: {missing}");
            answer.pop();
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            if answer["id"] == json!(self.next) {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// The value of an expression in the page.
    pub fn value(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let result = self.ask("Runtime.evaluate", asked);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub fn until(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.value(expression) != json!(true) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{expression} does not come true");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Something that the pointer does at a place.
    pub fn pointer(&mut self, what: &str, (x, y): (f64, f64), more: Value) {
        let mut event = json!({ "type": what, "x": x, "y": y, "button": "left", "clickCount": 1 });
        for (key, value) in more.as_object().into_iter().flatten() {
            event[key] = value.clone();
        }
        self.ask("Input.dispatchMouseEvent", event);
    }

    /// A click.
    pub fn click(&mut self, at: (f64, f64)) {
        for what in ["mouseMoved", "mousePressed", "mouseReleased"] {
            self.pointer(what, at, json!({}));
        }
    }

    /// Types into what has the focus.
    pub fn type_text(&mut self, text: &str) {
        self.ask("Input.insertText", json!({ "text": text }));
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str) {
        for what in ["keyDown", "keyUp"] {
            self.ask("Input.dispatchKeyEvent", json!({ "type": what, "key": key, "code": key }));
        }
    }

    /// The middle of an element on the screen.
    pub fn middle(&mut self, expression: &str) -> (f64, f64) {
        let area = self.value(&format!("(() => {{ const r = ({expression}).getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; }})()"));
        (area[0].as_f64().unwrap(), area[1].as_f64().unwrap())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Helpers of the browser may hold it for another moment.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

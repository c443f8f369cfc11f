//! Runs the real program: once, or as a mesh that goes on until the test ends it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use authmesh::worker::Clock;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a program says something: stdout and stderr.
const OUTPUTS: usize = 2;

/// How a run of the program ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.stdout.trim_end().lines().count(), 1, "one object: {}", self.stdout);
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// The program in a folder, and without what the environment of the tests may say.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authmesh"));
    command.args(arguments).current_dir(folder);
    for variable in ["RUST_LOG", "AUTHMESH_ADMIN", "AUTHMESH_ADMIN_TOKEN", "NOTIFY_SOCKET"] {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Run {
    let output = command(folder, arguments).output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The file with its weaker `key` accepted for a month.
pub(crate) fn accepting(key: &str, text: &str) -> String {
    let until = authmesh::config::Date::from_days(authmesh::config::today().days() + 30);
    let accept = format!("version = 1\naccept_weaker = [\"{key}: a test until {until}\"]\n");
    text.replacen("version = 1\n", &accept, 1)
}

/// A folder with a configuration file.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn with(text: &str) -> Self {
        let folder = Self { folder: tempfile::tempdir().unwrap() };
        folder.write(text);
        folder
    }

    /// A folder whose mesh has one listener, all doors people need, and these services.
    pub(crate) fn serving(services: &str) -> Self {
        let folder = Self { folder: tempfile::tempdir().unwrap() };
        folder.write(&folder.serving_text(services));
        folder
    }

    pub(crate) fn serving_text(&self, services: &str) -> String {
        format!(
            "version = 1\n[authorization]\ndefault = \"allow\"\n\
             [admin]\nsocket = \"{}\"\n[metrics]\naddress = \"127.0.0.1:0\"\n\
             [[listener]]\nname = \"web\"\naddress = \"127.0.0.1:0\"\nforward_to = \"token\"\n\
             [[listener]]\nname = \"local\"\naddress = \"unix:{}\"\nforward_to = \"token\"\n\
             {services}",
            self.admin_socket().display(),
            self.path("local.sock").display(),
        )
    }

    /// Replaces the file as editors do: whole, by its name.
    pub(crate) fn write(&self, text: &str) {
        std::fs::write(self.path("mesh.toml.new"), text).unwrap();
        std::fs::rename(self.path("mesh.toml.new"), self.path("mesh.toml")).unwrap();
    }

    pub(crate) fn admin_socket(&self) -> PathBuf {
        self.path("admin.sock")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        run(self.folder.path(), arguments)
    }

    pub(crate) fn start(&self) -> Program {
        Program::start(command(self.folder.path(), &["run", "--workers", "2"]))
    }

    /// A running mesh, and where this listener or door of it listens.
    pub(crate) fn start_and_find(&self, of: &str) -> (Program, String) {
        let mesh = self.start();
        let address = mesh.address(of);
        (mesh, address)
    }
}

/// The program, running. It is killed if the test ends before it does.
pub(crate) struct Program {
    child: Child,
    said: Arc<Said>,
}

#[derive(Default)]
struct Said {
    /// The lines, and how many of its two outputs have ended.
    lines: Mutex<(Vec<String>, usize)>,
    more: Condvar,
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Said::default());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let stdout = BufReader::new(child.stdout.take().unwrap());
        for lines in [Box::new(stderr) as Box<dyn BufRead + Send>, Box::new(stdout)] {
            let said = Arc::clone(&said);
            thread::spawn(move || {
                for line in lines.lines().map_while(Result::ok) {
                    said.lines.lock().unwrap().0.push(line);
                    said.more.notify_all();
                }
                said.lines.lock().unwrap().1 += 1;
                said.more.notify_all();
            });
        }
        Self { child, said }
    }

    /// Waits until the program has said a line with `wanted` in it for the `count`th time.
    pub(crate) fn hear_times(&self, wanted: &str, count: usize) -> String {
        let lines = self.said.lines.lock().unwrap();
        let heard = |lines: &[String]| {
            lines.iter().filter(|line| line.contains(wanted)).nth(count - 1).cloned()
        };
        let waiting = self.said.more.wait_timeout_while(lines, PATIENCE, |(lines, ended)| {
            heard(lines).is_none() && *ended < OUTPUTS
        });
        let lines = waiting.unwrap().0;
        heard(&lines.0)
            .unwrap_or_else(|| panic!("nothing says `{wanted}`:\n{}", lines.0.join("\n")))
    }

    pub(crate) fn hear(&self, wanted: &str) -> String {
        self.hear_times(wanted, 1)
    }

    /// The address in the line that says where this listens.
    pub(crate) fn address(&self, of: &str) -> String {
        let line = self.hear(&format!("authmesh: {of} on "));
        line.rsplit(' ').next().unwrap().to_owned()
    }

    /// Everything it says until it ends.
    pub(crate) fn everything(&self) -> String {
        let lines = self.said.lines.lock().unwrap();
        let waiting = self.said.more.wait_timeout_while(lines, PATIENCE, |said| said.1 < OUTPUTS);
        let (lines, waited) = waiting.unwrap();
        assert!(!waited.timed_out(), "it goes on: {}", lines.0.join("\n"));
        lines.0.join("\n")
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    pub(crate) fn end(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already in a test that went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until the answer is as wanted.
pub(crate) fn until<T>(mut ask: impl FnMut() -> T, is_wanted: impl Fn(&T) -> bool) -> T {
    let began = Clock.now();
    while Clock.now().since(began) < PATIENCE {
        let answer = ask();
        if is_wanted(&answer) {
            return answer;
        }
        thread::yield_now();
    }
    panic!("asked for {PATIENCE:?} in vain");
}

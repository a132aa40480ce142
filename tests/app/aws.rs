//! The stand-in for AWS (tests/aws), started for one test.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::harness::{address_of, program};
use crate::output::Lines;

/// The bucket that the stand-in begins with.
pub(crate) const BUCKET: &str = "acme-config";

/// A running stand-in; it ends with this.
pub(crate) struct StandIn {
    child: Child,
    host: String,
    environment: Vec<(String, String)>,
}

impl StandIn {
    /// Starts one with an empty bucket that keeps versions.
    pub(crate) fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new(root.join("tests/.venv/bin/python"))
            .arg(root.join("tests/aws/serve.py"))
            .args(["--bucket", BUCKET, "--versioned"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/run makes tests/.venv");
        let ready: Value = serde_json::from_str(&Lines::of(child.stdout.take().unwrap()).next_line()).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let environment = ready["environment"].as_object().unwrap();
        Self {
            child,
            host: text(&ready["endpoint"]).replace("http://", ""),
            environment: environment.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        }
    }

    /// Puts the delivered files of a folder into the bucket that are not there yet.
    pub(crate) fn load(&self, folder: &Path) {
        self.control(&json!({"do": "load", "bucket": BUCKET, "folder": folder}));
    }

    /// Writes an object, whether it is there or not.
    pub(crate) fn put(&self, key: &str, bytes: &[u8], storage_class: &str) {
        let day = "20261124";
        let headers = format!(
            "x-amz-storage-class: {storage_class}\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=AKIAAUDITFOLIOPORTAL/{day}/eu-central-1/s3/aws4_request, \
             SignedHeaders=host, Signature=00\r\n"
        );
        self.ask("PUT", &format!("/{BUCKET}/{key}"), &headers, bytes);
    }

    /// Keeps a secret under a name, with another value where it is there already.
    pub(crate) fn secret(&self, name: &str, value: &str) {
        let call = |operation: &str, body: &Value| {
            let headers = format!(
                "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: secretsmanager.{operation}\r\n\
                 Authorization: AWS4-HMAC-SHA256 Credential=AKIAAUDITFOLIOPORTAL/20261124/eu-central-1/secretsmanager/\
                 aws4_request, SignedHeaders=host, Signature=00\r\n"
            );
            self.ask("POST", "/", &headers, body.to_string().as_bytes())
        };
        let known: Value = serde_json::from_str(&call("ListSecrets", &json!({}))).unwrap();
        let there = known["SecretList"].as_array().unwrap().iter().any(|secret| secret["Name"] == name);
        if there {
            call("PutSecretValue", &json!({"SecretId": name, "SecretString": value}));
        } else {
            call("CreateSecret", &json!({"Name": name, "SecretString": value}));
        }
    }

    /// Orders a fault: see tests/aws/faults.py.
    pub(crate) fn fault(&self, fault: &Value) {
        self.control(&json!({"do": "fault", "fault": fault}));
    }

    pub(crate) fn clear_faults(&self) {
        self.control(&json!({"do": "clear_faults"}));
    }

    pub(crate) fn clear_log(&self) {
        self.control(&json!({"do": "clear_log"}));
    }

    /// Adds to what the stand-in knows: see tests/aws/world.py.
    pub(crate) fn describe(&self, description: &Value) {
        self.control(&json!({"do": "describe", "description": description}));
    }

    fn control(&self, order: &Value) {
        self.ask("POST", "/-/control", "Content-Type: application/json\r\n", order.to_string().as_bytes());
    }

    /// What a document of Artifact's is: see tests/aws/artifact.py.
    pub(crate) fn document(&self, name: &str) -> Vec<u8> {
        let order = json!({"do": "document", "name": name}).to_string();
        let answer = self.ask("POST", "/-/control", "Content-Type: application/json\r\n", order.as_bytes());
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let digits = answer["hex"].as_str().unwrap();
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    }

    /// Every call so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        serde_json::from_str(&self.ask("GET", "/-/log", "", b"")).unwrap()
    }

    /// Calls of one operation.
    pub(crate) fn calls(&self, operation: &str) -> Vec<Value> {
        self.log().into_iter().filter(|call| call["operation"] == operation).collect()
    }

    /// What did not fit AWS's own models.
    pub(crate) fn violations(&self) -> Vec<Value> {
        serde_json::from_str(&self.ask("GET", "/-/violations", "", b"")).unwrap()
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let length = body.len();
        let host = &self.host;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
        )
        .unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
        body.to_owned()
    }

    /// `collect` from the bucket, ready to run.
    pub(crate) fn collect(&self, db: &PgPool, arguments: &[&str]) -> Command {
        self.collect_from(&format!("s3://{BUCKET}"), db, arguments)
    }

    /// `collect` from a source, with AWS's own settings pointing here.
    pub(crate) fn collect_from(&self, from: &str, db: &PgPool, arguments: &[&str]) -> Command {
        let mut command = self.program(&["collect", "--from", from, "--organization", "Example"]);
        command.args(["--database-url", &address_of(db), "--aws-s3-path-style"]).args(arguments);
        command
    }

    /// The program with AWS's own settings pointing here.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = program(arguments);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        // A developer's own settings stay out of it.
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
    }
}

/// The exit code of a program that ended by itself.
pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

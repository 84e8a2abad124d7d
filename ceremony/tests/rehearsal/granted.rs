//! Commands about a grant, and changes of what Google Cloud has by others than the verifier.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{PROJECT, Release, program};
use crate::cloud;

impl Release<'_> {
    /// The command to authorize, with `--plan` in place of `--apply`.
    pub fn planned(&self) -> Command {
        self.binding("authorize", &["--plan"])
    }

    /// The same image, with policies that also name this repository of evidence.
    pub fn with_evidence(&self, repository: &str) -> Self {
        Self {
            rehearsal: self.rehearsal,
            name: self.name.clone(),
            evidence: Some(repository.to_owned()),
            repository: self.repository.clone(),
        }
    }

    /// A repository of the collaborator, in a registry that lets it write.
    pub fn own_repository(&self) -> String {
        format!(
            "{}/collaborator/evidence",
            self.rehearsal.endpoints.registry
        )
    }

    /// The command to rotate.
    pub fn rotate(&self, words: &[&str]) -> Command {
        self.binding("rotate", words)
    }

    fn binding(&self, verb: &str, words: &[&str]) -> Command {
        let mut command = self.verifier(verb, &["builder"]);
        command.arg("--grant").arg(self.grant()).args(words);
        self.with_kms(&mut command);
        command
    }

    fn with_kms(&self, command: &mut Command) {
        command.args(["--kms-endpoint", &self.rehearsal.proxy.kms]);
        command.env("GOOGLE_APPLICATION_CREDENTIALS", self.credentials());
    }

    /// The command to audit against a folder of verdicts.
    pub fn audit(&self, verdicts: &Path) -> Command {
        let mut command = program("verifier");
        command.arg("audit").arg("--grant").arg(self.described());
        command.arg("--verdicts").arg(verdicts).arg("--json");
        command.args(["--iam-endpoint", &self.rehearsal.endpoints.iam]);
        let above = &self.rehearsal.endpoints.resource_manager;
        command.args(["--resource-manager-endpoint", above]);
        self.with_kms(&mut command);
        command
    }

    /// The command to revoke.
    pub fn revoke(&self) -> Command {
        let mut command = program("verifier");
        command.arg("revoke").arg(self.reference());
        command
            .args(["--apply", "--json", "--grant"])
            .arg(self.grant());
        self.with_kms(&mut command);
        command
    }

    /// The same command without its option for programs.
    pub fn in_words(command: &Command) -> Command {
        let mut words = Command::new(command.get_program());
        words.args(command.get_args().filter(|word| *word != "--json"));
        words.envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        words
    }

    /// A grant with a description of the provider.
    fn described(&self) -> PathBuf {
        let grant = std::fs::read_to_string(self.grant()).unwrap();
        let earlier = super::EARLIER;
        let provider = format!(
            "other_members = [{earlier:?}]\n[provider]\nproject = {PROJECT:?}\nid = \"attest\"\n\
             audience = \"https://collaborator.example/countersign\"\nhardware = [\"INTEL_TDX\"]\n"
        );
        self.write("described", &(grant + &provider))
    }

    /// Creates a provider as the verifier prints it.
    pub fn make_provider(&self, id: &str) {
        let mut print = program("verifier");
        print.arg("provider").arg("--grant").arg(self.described());
        let body = super::must({
            print.args(["--format", "iam"]);
            print
        });
        let body = serde_json::from_str(&body).unwrap();
        let path = format!("/providers?workloadIdentityPoolProviderId={id}");
        self.change_pool("POST", &path, &body);
    }

    /// Changes the pool, or what is below it.
    pub fn change_pool(&self, method: &str, path: &str, body: &Value) {
        let iam = &self.rehearsal.endpoints.iam;
        let token = &self.rehearsal.project().access_token;
        let url = format!("{iam}/v1/{}{path}", self.pool());
        cloud::call(method, &url, token, body).unwrap();
    }

    /// Gives members roles on the project of the key, beside its owner.
    pub fn bind_above(&self, bindings: &[Value]) {
        let token = &self.rehearsal.project().access_token;
        let project = format!(
            "{}/v3/projects/{PROJECT}",
            self.rehearsal.endpoints.resource_manager
        );
        let read = format!("{project}:getIamPolicy");
        let mut policy = cloud::call("POST", &read, token, &json!({})).unwrap();
        let all = policy["bindings"].as_array_mut().unwrap();
        all.retain(|binding| binding["role"] == "roles/owner");
        all.extend(bindings.iter().cloned());
        let write = format!("{project}:setIamPolicy");
        cloud::call("POST", &write, token, &json!({"policy": policy})).unwrap();
    }

    /// Lets a member decrypt.
    pub fn bind(&self, member: &str) {
        let kms = &self.rehearsal.endpoints.kms;
        let token = &self.rehearsal.project().access_token;
        cloud::bind(kms, &self.data_key(), token, member).unwrap();
    }

    /// The condition of each binding that a member is in.
    pub fn conditions(&self, member: &str) -> Vec<Option<String>> {
        let kms = &self.rehearsal.endpoints.kms;
        let token = &self.rehearsal.project().access_token;
        let policy = cloud::key_policy(kms, &self.data_key(), token).unwrap();
        let bindings = policy["bindings"].as_array().unwrap().iter();
        let having = bindings.filter(|binding| {
            let mut members = binding["members"].as_array().unwrap().iter();
            members.any(|found| found == member)
        });
        let condition = |binding: &Value| {
            let expression = binding["condition"]["expression"].as_str();
            expression.map(str::to_owned)
        };
        having.map(condition).collect()
    }
}

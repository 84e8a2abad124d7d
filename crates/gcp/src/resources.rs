//! What a project is in: folders and an organisation, and the policies of all of them (Resource Manager).

use console::hint::Hinted;
use google::Project;
use grant::live::{Above, Level, Policy, Unread};
use serde::Deserialize;
use serde_json::json;
use signer::{Credentials, Endpoint};

use crate::rest::{Asked, Request, Rest};

/// The public URL of Resource Manager.
const PUBLIC: &str = "https://cloudresourcemanager.googleapis.com";
/// Folders, with the project and the organisation, at the most. Folders are nested ten deep at the most (Resource Manager, "Quotas and limits").
const MOST: usize = 32;
const FAILED: &str = "check the network and the endpoint, if one is given, and repeat the command";
const BROWSE: &str =
    "the credentials need resourcemanager.projects.get on the project, which roles/browser has";
const REVIEW: &str =
    "the credentials need its getIamPolicy permission, which roles/iam.securityReviewer has";

/// The service that has projects, folders and organisations.
#[derive(Clone, Debug)]
pub struct Resources(Rest);

#[derive(Deserialize)]
struct Ancestry {
    #[serde(default)]
    ancestor: Vec<Ancestor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ancestor {
    resource_id: ResourceId,
}

/// The name of a resource (Resource Manager v1, `ResourceId`).
#[derive(Deserialize)]
struct ResourceId {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

impl ResourceId {
    /// The name of a folder or an organisation, which have numbers.
    fn resource(&self) -> Option<(Level, String)> {
        let is_number = !self.id.is_empty() && self.id.bytes().all(|byte| byte.is_ascii_digit());
        let level = match &*self.kind {
            "folder" => Level::Folder,
            "organization" => Level::Organization,
            _ => return None,
        };
        is_number.then(|| (level, format!("{}s/{}", self.kind, self.id)))
    }
}

impl Resources {
    /// The service at `endpoint`, or at its public URL.
    ///
    /// # Errors
    /// HTTPS cannot be used.
    pub fn open(endpoint: Option<&Endpoint>, credentials: Credentials) -> Result<Self, Hinted> {
        Rest::new(endpoint, PUBLIC, credentials).map(Self)
    }

    /// The policies of a project, of its folders and of its organisation, from the inside out. What the user may not read is there without a policy.
    ///
    /// # Errors
    /// The service does not answer, or answers something else.
    pub async fn above(&self, project: &Project) -> Result<Vec<Above>, Hinted> {
        let own = format!("projects/{project}");
        let mut all = vec![(Level::Project, own.clone())];
        let unread = match self.ancestors(&own).await? {
            Ok(ancestors) => {
                all.extend(ancestors);
                None
            }
            Err(unread) => Some(Above {
                level: Level::Folder,
                name: format!("the folders and the organization of {own}"),
                policy: Err(unread),
            }),
        };
        let mut above = Vec::new();
        for (level, name) in all {
            let policy = self.policy(&name).await?;
            above.push(Above {
                level,
                name,
                policy,
            });
        }
        above.extend(unread);
        Ok(above)
    }

    /// The folders and the organisation of a project.
    async fn ancestors(
        &self,
        project: &str,
    ) -> Result<Result<Vec<(Level, String)>, Unread>, Hinted> {
        let doing = format!("reading the ancestors of {project}");
        let request = Request {
            doing: &doing,
            path: &format!("v1/{project}:getAncestry"),
            body: Some(&json!({})),
            denied: BROWSE,
            absent: BROWSE,
            failed: FAILED,
        };
        let Ancestry { ancestor } = match self.0.ask(&request).await? {
            Asked::Answer(ancestry) => ancestry,
            other => return Ok(Err(unread(other, BROWSE))),
        };
        let wrong = |fault: &str| Hinted::new(format_args!("{doing}: {fault}")).hinting(FAILED);
        if ancestor.len() > MOST {
            return Err(wrong("more folders than Resource Manager nests"));
        }
        let mut names = ancestor.iter().map(|ancestor| &ancestor.resource_id);
        match names.next() {
            Some(first) if first.kind == "project" => {}
            _ => return Err(wrong("the answer does not begin with a project")),
        }
        let known: Option<Vec<_>> = names.map(ResourceId::resource).collect();
        let known = known.ok_or_else(|| wrong("it is neither a folder nor an organization"))?;
        Ok(Ok(known))
    }

    async fn policy(&self, resource: &str) -> Result<Result<Policy, Unread>, Hinted> {
        let request = Request {
            doing: &format!("reading the policy of {resource}"),
            path: &format!("v3/{resource}:getIamPolicy"),
            body: Some(&json!({"options": {"requestedPolicyVersion": 3}})),
            denied: REVIEW,
            absent: REVIEW,
            failed: FAILED,
        };
        Ok(match self.0.ask(&request).await? {
            Asked::Answer(policy) => Ok(policy),
            other => Err(unread(other, REVIEW)),
        })
    }
}

/// Google denies access to what does not exist, too, so that both are the same here.
fn unread<T>(asked: Asked<T>, hint: &'static str) -> Unread {
    let fault = match asked {
        Asked::Denied(error) => error.to_string(),
        Asked::Answer(_) | Asked::Absent => "there is no such resource".to_owned(),
    };
    Unread { fault, hint }
}

#[cfg(test)]
mod tests {
    use google_cloud_auth::credentials::anonymous;

    use super::*;
    use crate::testing::serve;

    const ANCESTRY: &str = r#"{"ancestor": [
        {"resourceId": {"type": "project", "id": "one"}},
        {"resourceId": {"type": "folder", "id": "12"}},
        {"resourceId": {"type": "organization", "id": "3"}}
    ]}"#;
    const DENIED: (u16, &str) = (403, r#"{"error": {"message": "no"}}"#);
    const POLICY: (u16, &str) = (
        200,
        r#"{"version": 3, "etag": "x", "bindings": [{"role": "roles/owner", "members": ["user:a@one.example"]}]}"#,
    );

    async fn ask(answers: Vec<(u16, &'static str)>) -> (Result<Vec<Above>, Hinted>, Vec<String>) {
        let (endpoint, served) = serve(answers);
        let anonymous = anonymous::Builder::new().build();
        let resources = Resources::open(Some(&endpoint), anonymous).unwrap();
        let above = resources.above(&"one".parse().unwrap()).await;
        (above, served.join().unwrap())
    }

    /// Each resource, and whether its policy was read.
    fn shown(above: &[Above]) -> Vec<(&str, bool)> {
        let all = above.iter();
        all.map(|above| (&*above.name, above.policy.is_ok()))
            .collect()
    }

    #[tokio::test]
    async fn all_policies_above_a_project_are_read_from_the_inside_out() {
        let (above, asked) = ask(vec![(200, ANCESTRY), POLICY, DENIED, POLICY]).await;
        let above = above.unwrap();
        let expected = [
            ("projects/one", true),
            ("folders/12", false),
            ("organizations/3", true),
        ];
        assert_eq!(shown(&above), expected);
        let unread = above[1].policy.as_ref().unwrap_err();
        let fault = "reading the policy of folders/12: status 403: no";
        assert_eq!((&*unread.fault, unread.hint), (fault, REVIEW));
        assert_eq!(
            above[0].policy.as_ref().unwrap().bindings[0].role,
            "roles/owner"
        );
        let paths = [
            "v1/projects/one:getAncestry",
            "v3/projects/one:getIamPolicy",
            "v3/folders/12:getIamPolicy",
            "v3/organizations/3:getIamPolicy",
        ];
        assert_eq!(asked, paths.map(|path| format!("POST /{path} HTTP/1.1")));
    }

    #[tokio::test]
    async fn what_may_not_be_asked_is_not_absent() {
        let (above, _) = ask(vec![DENIED, POLICY]).await;
        let above = above.unwrap();
        let unknown = "the folders and the organization of projects/one";
        assert_eq!(shown(&above), [("projects/one", true), (unknown, false)]);
        let (above, _) = ask(vec![(404, ""), (404, "")]).await;
        assert!(above.unwrap().iter().all(|above| above.policy.is_err()));
    }

    #[tokio::test]
    async fn an_answer_of_another_form_is_an_error() {
        for (answer, fault) in [
            (r#"{}"#, "does not begin with a project"),
            (
                r#"{"ancestor": [{"resourceId": {"type": "folder", "id": "1"}}]}"#,
                "does not begin",
            ),
            (
                r#"{"ancestor": [{"resourceId": {"type": "project", "id": "one"}}, {"resourceId": {"type": "folder", "id": "../1"}}]}"#,
                "neither a folder nor an organization",
            ),
            (
                r#"{"ancestor": [{"resourceId": {"type": "project", "id": "one"}}, {"resourceId": {"type": "planet", "id": "1"}}]}"#,
                "neither a folder nor an organization",
            ),
        ] {
            let error = ask(vec![(200, answer)]).await.0.unwrap_err().to_string();
            assert!(error.contains(fault), "{answer}: {error}");
        }
        for status in [500, 429] {
            let error = ask(vec![(status, "")]).await.0.unwrap_err().to_string();
            assert!(error.contains(&format!("status {status}")), "{error}");
        }
    }
}

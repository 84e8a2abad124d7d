//! What a project is in: folders and an organisation, and the policies of all of them (Resource Manager).

use console::hint::Hinted;
use google::Project;
use grant::live::{Above, Binding, Level, Policy, Unread};
use serde::Deserialize;
use serde_json::json;
use signer::{Credentials, Endpoint};

use crate::rest::{Request, Rest, unexpected};

/// The public URL of Resource Manager.
const PUBLIC: &str = "https://cloudresourcemanager.googleapis.com";
/// The most folders, with the project and the organisation. Folders are nested at most ten deep (Resource Manager, "Quotas and limits").
const MOST: usize = 32;
const FAILED: &str = "check the network and the endpoint, if one is given, and repeat the command";
const BROWSE: &str =
    "the credentials need resourcemanager.projects.get on the project, which roles/browser has";
const REVIEW: &str =
    "the credentials need its getIamPolicy permission, which roles/iam.securityReviewer has";

/// The service that has projects, folders and organisations.
#[derive(Clone, Debug)]
pub struct Resources(Rest);

/// A policy (IAM v1, `Policy`). It always has an etag: an answer without one is no policy, and says nothing about bindings.
#[derive(Deserialize)]
struct Answered {
    etag: String,
    #[serde(default)]
    bindings: Vec<Binding>,
}

/// A project (Resource Manager v1, `Project`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    project_id: String,
    project_number: String,
}

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
        let unread = match self.ancestors(project).await? {
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

    /// The folders and the organisation of a project. The answer begins with the project itself, by its ID.
    async fn ancestors(
        &self,
        project: &Project,
    ) -> Result<Result<Vec<(Level, String)>, Unread>, Hinted> {
        let id = match self.id(project).await? {
            Ok(id) => id,
            Err(unread) => return Ok(Err(unread)),
        };
        let request = Request {
            doing: &format!("reading the ancestors of projects/{project}"),
            path: &format!("v1/projects/{project}:getAncestry"),
            body: Some(&json!({})),
            ..browse()
        };
        let Ancestry { ancestor } = match self.0.ask(&request).await?.read() {
            Ok(ancestry) => ancestry,
            Err(unread) => return Ok(Err(unread)),
        };
        let above = above_project(&id, &ancestor);
        above.map(Ok).map_err(|fault| unexpected(&request, fault))
    }

    /// The ID of a project. If only its number is known, it is looked up.
    async fn id(&self, project: &Project) -> Result<Result<String, Unread>, Hinted> {
        let number = match project {
            Project::Id(id) => return Ok(Ok(id.to_string())),
            Project::Number(number) => number.to_string(),
        };
        let request = Request {
            doing: &format!("reading projects/{project}"),
            path: &format!("v1/projects/{project}"),
            ..browse()
        };
        let found: Described = match self.0.ask(&request).await?.read() {
            Ok(found) => found,
            Err(unread) => return Ok(Err(unread)),
        };
        match found.project_number == number {
            true => Ok(Ok(found.project_id)),
            false => Err(unexpected(&request, "it is another project")),
        }
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
        let Answered { etag, bindings } = match self.0.ask(&request).await?.read() {
            Ok(answered) => answered,
            Err(unread) => return Ok(Err(unread)),
        };
        match etag.is_empty() {
            true => Err(unexpected(&request, "no etag")),
            false => Ok(Ok(Policy { bindings })),
        }
    }
}

/// A request that roles/browser permits.
fn browse() -> Request<'static> {
    Request {
        doing: "",
        path: "",
        body: None,
        denied: BROWSE,
        absent: BROWSE,
        failed: FAILED,
    }
}

/// What a project is in: folders, from the inside out, and then the organisation, without which there are no folders (Resource Manager, "Resource
/// hierarchy").
fn above_project(
    project: &str,
    ancestors: &[Ancestor],
) -> Result<Vec<(Level, String)>, &'static str> {
    if ancestors.len() > MOST {
        return Err("more folders than Resource Manager nests");
    }
    let mut names = ancestors.iter().map(|ancestor| &ancestor.resource_id);
    match names.next() {
        Some(own) if own.kind == "project" && own.id == project => {}
        _ => return Err("it does not begin with the project"),
    }
    let above: Option<Vec<_>> = names.map(ResourceId::resource).collect();
    let above = above.ok_or("it has something that is neither a folder nor an organization")?;
    let is_ordered = match above.split_last() {
        Some(((last, _), before)) => {
            *last == Level::Organization && before.iter().all(|(level, _)| *level == Level::Folder)
        }
        None => true,
    };
    match is_ordered {
        true => Ok(above),
        false => Err("it is not folders and then an organization"),
    }
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
    async fn a_policy_without_an_etag_is_an_error_and_not_an_empty_policy() {
        const ALONE: &str = r#"{"ancestor": [{"resourceId": {"type": "project", "id": "one"}}]}"#;
        for (policy, fault) in [
            ("{}", "missing field `etag`"),
            (r#"{"bindings": []}"#, "missing field `etag`"),
            (r#"{"etag": "", "bindings": []}"#, "no etag"),
        ] {
            let (above, _) = ask(vec![(200, ALONE), (200, policy)]).await;
            let error = above.unwrap_err().to_string();
            let start = "reading the policy of projects/one: reading the answer: ";
            assert!(error.starts_with(start) && error.contains(fault), "{error}");
        }
        let (above, _) = ask(vec![(200, ALONE), (200, r#"{"etag": "ACAB"}"#)]).await;
        assert_eq!(above.unwrap()[0].policy, Ok(Policy::default()));
    }

    #[tokio::test]
    async fn a_project_that_is_named_by_its_number_is_bound_to_its_ancestors() {
        let ask = async |answers| {
            let (endpoint, served) = serve(answers);
            let anonymous = anonymous::Builder::new().build();
            let resources = Resources::open(Some(&endpoint), anonymous).unwrap();
            let above = resources.above(&"1234".parse().unwrap()).await;
            (above, served)
        };
        let described = r#"{"projectId": "one", "projectNumber": "1234"}"#;
        let answers = vec![(200, described), (200, ANCESTRY), POLICY, POLICY, POLICY];
        let (above, served) = ask(answers).await;
        let names = [
            ("projects/1234", true),
            ("folders/12", true),
            ("organizations/3", true),
        ];
        assert_eq!(shown(&above.unwrap()), names);
        assert_eq!(served.join().unwrap()[0], "GET /v1/projects/1234 HTTP/1.1");
        let other = r#"{"projectId": "one", "projectNumber": "1235"}"#;
        let (above, _) = ask(vec![(200, other)]).await;
        assert!(above.unwrap_err().to_string().ends_with("another project"));
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
            (r#"{}"#, "it does not begin with the project"),
            (
                r#"{"ancestor": [{"resourceId": {"type": "folder", "id": "1"}}]}"#,
                "does not begin",
            ),
            (
                r#"{"ancestor": [{"resourceId": {"type": "folder", "id": "one"}}]}"#,
                "does not begin",
            ),
            (
                r#"{"ancestor": [{"resourceId": {"type": "project", "id": "other"}}]}"#,
                "does not begin",
            ),
            (
                r#"{"ancestor": [{"resourceId": {"type": "project", "id": "one"}}, {"resourceId": {"type": "organization", "id": "3"}},
                    {"resourceId": {"type": "folder", "id": "12"}}]}"#,
                "not folders and then an organization",
            ),
            (
                r#"{"ancestor": [{"resourceId": {"type": "project", "id": "one"}}, {"resourceId": {"type": "organization", "id": "3"}},
                    {"resourceId": {"type": "organization", "id": "4"}}]}"#,
                "not folders and then an organization",
            ),
            (
                r#"{"ancestor": [{"resourceId": {"type": "project", "id": "one"}}, {"resourceId": {"type": "folder", "id": "12"}}]}"#,
                "not folders and then an organization",
            ),
            (
                r#"{"ancestor": [{"resourceId": {"type": "project", "id": "one"}}, {"resourceId": {"type": "project", "id": "one"}}]}"#,
                "neither a folder nor an organization",
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

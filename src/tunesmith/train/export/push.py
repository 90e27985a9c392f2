"""An export on the hub: a private repository with the folder's files."""

from pathlib import Path

from tunesmith.errors import ModelError, RecipeError


def require_token() -> str:
    """The hub's token from the environment.

    Raises:
        RecipeError: If there is none.
    """
    from huggingface_hub import get_token

    token = get_token()
    if not token:
        raise RecipeError(
            "--push",
            ["no token for the hub is in the environment"],
            fix="set HF_TOKEN, or log in with `hf auth login`",
        )
    return token


def push(folder: Path, repository: str) -> str:
    """Upload the folder; returns the commit's URL. A repository that does not exist is made private.

    Raises:
        RecipeError: If there is no token.
        ModelError: If the hub refuses, or cannot be reached.
    """
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    api = HfApi(token=require_token())
    try:
        api.create_repo(repository, private=True, exist_ok=True)
        made = api.upload_folder(
            repo_id=repository, folder_path=folder, commit_message="Export by tunesmith"
        )
    except (HfHubHTTPError, OfflineModeIsEnabled, httpx2.HTTPError, OSError) as error:
        raise ModelError(
            f"the hub did not take {repository}: {str(error).splitlines()[0]}",
            fix=f"check token and name; the export itself is finished in {folder}",
        ) from error
    return str(made.commit_url)

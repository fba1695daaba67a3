from evcharge.web.api import Api

api = Api("network")
